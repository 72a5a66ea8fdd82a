// Training steps one after the other, for measuring.
#pragma once

#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/data.hpp"
#include "training/training_step.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace nnrun::tool {

// Trains step after step, through the epochs, as a run would.
class Steps {
 public:
  Steps(const core::Environment& environment, core::Data& data) : settings_(environment.settings()), data_(data), step_(environment, data) {
    progress_.size = sizeof progress_;
    progress_.epochs = settings_.train.epochs;
    // Full batches only: they are what is timed.
    progress_.steps_per_epoch = std::max<std::int64_t>(data.train().count() / settings_.train.batch, 1);
  }

  void next() {
    const std::int64_t in_epoch = progress_.step % progress_.steps_per_epoch;
    if (in_epoch == 0)
      core::shuffle(order_, data_.train().count(), settings_.seed, NNRUN_STREAM_ORDER, progress_.step / progress_.steps_per_epoch);
    const std::int64_t batch = std::min(settings_.train.batch, data_.train().count());
    progress_.epoch = std::min(progress_.step / progress_.steps_per_epoch, progress_.epochs - 1);
    const auto batch_at = [&](std::int64_t index) {
      return std::span(order_).subspan(static_cast<std::size_t>(index * batch), static_cast<std::size_t>(batch));
    };
    const bool last = in_epoch + 1 == progress_.steps_per_epoch;
    step_.run(batch_at(in_epoch), progress_, last ? std::span<const std::uint32_t>() : batch_at(in_epoch + 1));
    ++progress_.step;
  }

  core::Network& network() { return step_.network(); }

 private:
  const core::Settings& settings_;
  core::Data& data_;
  core::TrainingStep step_;
  nnrun_progress progress_{};
  std::vector<std::uint32_t> order_;
};

}  // namespace nnrun::tool
