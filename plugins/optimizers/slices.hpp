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

// L2, where it applies: not to biases and the like.
inline float decay_of(const nnrun_step& step, double weight_decay) {
  return (step.flags & NNRUN_WEIGHT_DECAY) != 0 ? static_cast<float>(weight_decay) : 0.0f;
}

}  // namespace nnrun::optimizers
