// What the optimizers share.
#pragma once

#include <nnrun/plugin.hpp>

namespace nnrun::optimizers {

// step() gets slices of any length; kernels are chosen for one of this many numbers.
inline constexpr std::int64_t typical_slice = 1 << 16;

template <class Arguments>
Kernel<Arguments> slice_kernel(const Host& host) {
  Arguments shape{};
  shape.count = typical_slice;
  return {host, shape};
}

inline constexpr const char* decay_all_doc = "whether biases and the weights of normalising layers decay, too";

// The share by which weights decay, where they do: biases and the like only if asked for.
inline float decay_of(const nnrun_step& step, double weight_decay, bool decay_all) {
  return decay_all || (step.flags & NNRUN_WEIGHT_DECAY) != 0 ? static_cast<float>(weight_decay) : 0.0f;
}

}  // namespace nnrun::optimizers
