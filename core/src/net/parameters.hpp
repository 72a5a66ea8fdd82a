// The flat memory of what a net learns: weights, gradients, layer states, optimizer states. Training and evaluation nets share it.
#pragma once

#include "base/buffer.hpp"

#include <nnrun/nnrun.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nnrun::core {

// One tensor in a flat buffer.
struct Slot {
  std::string name;       // eg: "1.dense.weights", or "head.weights" where the layer has a name
  std::size_t layer = 0;  // index in model.layers
  std::vector<std::int64_t> shape;
  std::size_t offset = 0;  // in floats, a multiple of 16
  std::int64_t count = 0;
  std::uint32_t flags = 0;          // NNRUN_WEIGHT_...
  bool frozen = false;              // stays what it is in training
  std::uint32_t dtype = NNRUN_F32;  // of a state: whole numbers are possible

  std::size_t bytes() const;
};

class Parameters {
 public:
  // Sets the slots' offsets. Gradients and optimizer states take memory only once they are asked for.
  Parameters(std::vector<Slot> weights, std::vector<Slot> states);

  const std::vector<Slot>& weight_slots() const { return weight_slots_; }
  const std::vector<Slot>& state_slots() const { return state_slots_; }
  std::int64_t weight_count() const;

  float* weight(std::size_t slot) const { return weights_.as<float>() + weight_slots_[slot].offset; }
  float* state(std::size_t slot) const { return states_.as<float>() + state_slots_[slot].offset; }

  // All of them, with the gaps between tensors. Parameters of the same slots lie alike.
  std::span<float> flat_weights() const { return {weights_.as<float>(), weights_.size() / sizeof(float)}; }
  std::span<float> flat_states() const { return {states_.as<float>(), states_.size() / sizeof(float)}; }

  void add_training_memory(std::vector<std::string> optimizer_state_names);
  float* gradient(std::size_t slot) const { return gradients_.as<float>() + weight_slots_[slot].offset; }
  const std::vector<std::string>& optimizer_state_names() const { return optimizer_state_names_; }
  float* optimizer_state(std::size_t index, std::size_t slot) const {
    return optimizer_states_[index].as<float>() + weight_slots_[slot].offset;
  }

  // SHA-256 over all weights and states in order of layers, as little-endian floats; 64 hexadecimal digits.
  std::string sha256() const;

  // A copy of weights and states, and back: for keeping the best.
  std::vector<float> copy() const;
  void restore(const std::vector<float>& copy);

 private:
  std::vector<Slot> weight_slots_, state_slots_;
  Buffer weights_, states_, gradients_;
  std::vector<std::string> optimizer_state_names_;
  std::vector<Buffer> optimizer_states_;
};

}  // namespace nnrun::core
