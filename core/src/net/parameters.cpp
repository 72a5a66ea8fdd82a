#include "net/parameters.hpp"

#include "base/sha256.hpp"
#include "net/plan.hpp"

#include <algorithm>

namespace nnrun::core {

namespace {

std::size_t place(std::vector<Slot>& slots) {
  std::size_t total = 0;
  for (Slot& slot : slots) {
    slot.count = 1;
    for (const std::int64_t dim : slot.shape) slot.count *= dim;
    slot.offset = total;
    total += align_up(slot.bytes()) / sizeof(float);
  }
  return total * sizeof(float);
}

}  // namespace

std::size_t Slot::bytes() const { return static_cast<std::size_t>(count) * dtype_bytes(dtype); }

Parameters::Parameters(std::vector<Slot> weights, std::vector<Slot> states)
    : weight_slots_(std::move(weights)), state_slots_(std::move(states)), weights_(place(weight_slots_)), states_(place(state_slots_)) {}

std::int64_t Parameters::weight_count() const {
  std::int64_t total = 0;
  for (const Slot& slot : weight_slots_) total += slot.count;
  return total;
}

void Parameters::add_training_memory(std::vector<std::string> optimizer_state_names) {
  gradients_ = Buffer(weights_.size());
  optimizer_state_names_ = std::move(optimizer_state_names);
  optimizer_states_.clear();
  for (std::size_t i = 0; i < optimizer_state_names_.size(); ++i) optimizer_states_.emplace_back(weights_.size());
}

std::string Parameters::sha256() const {
  Sha256 hash;
  std::size_t state = 0;
  const auto add_states_before = [&](std::size_t layer) {
    for (; state < state_slots_.size() && state_slots_[state].layer < layer; ++state) {
      hash.add(this->state(state), state_slots_[state].bytes());
    }
  };
  for (std::size_t i = 0; i < weight_slots_.size(); ++i) {
    add_states_before(weight_slots_[i].layer);
    hash.add(weight(i), weight_slots_[i].bytes());
  }
  add_states_before(static_cast<std::size_t>(-1));
  return hash.hexadecimal();
}

std::vector<float> Parameters::copy() const {
  std::vector<float> values((weights_.size() + states_.size()) / sizeof(float));
  const std::size_t weight_floats = weights_.size() / sizeof(float);
  std::copy_n(weights_.as<float>(), weight_floats, values.begin());
  std::copy_n(states_.as<float>(), states_.size() / sizeof(float), values.begin() + static_cast<std::ptrdiff_t>(weight_floats));
  return values;
}

void Parameters::restore(const std::vector<float>& values) {
  const std::size_t weight_floats = weights_.size() / sizeof(float);
  std::copy_n(values.begin(), weight_floats, weights_.as<float>());
  std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(weight_floats), states_.size() / sizeof(float), states_.as<float>());
}

}  // namespace nnrun::core
