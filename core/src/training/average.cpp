#include "training/average.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>

namespace nnrun::core {

WeightAverage::WeightAverage(const Parameters& weights, double decay, const HostServices& host)
    : weights_(weights), decay_(decay), host_(host), average_(std::make_shared<Parameters>(weights.weight_slots(), weights.state_slots())) {
  restart();
}

void WeightAverage::restart() {
  std::ranges::copy(weights_.flat_weights(), average_->flat_weights().begin());
  std::ranges::copy(weights_.flat_states(), average_->flat_states().begin());
}

void WeightAverage::update(std::int64_t step) {
  const auto t = static_cast<double>(step);
  const auto take = static_cast<float>(1.0 - std::min(decay_, (1.0 + t) / (10.0 + t)));
  const auto follow = [&](std::span<const float> from, std::span<float> to) {
    Host(host_.c()).parallel_elements(static_cast<std::int64_t>(to.size()), [&](std::int64_t begin, std::int64_t end) {
      const float* source = from.data();
      float* average = to.data();
      for (std::int64_t i = begin; i < end; ++i) average[i] += take * (source[i] - average[i]);
    });
  };
  follow(weights_.flat_weights(), average_->flat_weights());
  follow(weights_.flat_states(), average_->flat_states());
}

}  // namespace nnrun::core
