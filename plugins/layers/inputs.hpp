// What layers check of their inputs.
#pragma once

#include "../common/text.hpp"

namespace nnrun::layers {

inline void require_f32(const Tensor& input) {
  if (input.dtype() == NNRUN_F32) return;
  throw Error("takes f32 numbers, got " + dtype_name(input.dtype()) +
              ": turn them into f32 first, eg with `transforms: [{scale: {divide_by: 255}}]` under `data`");
}

}  // namespace nnrun::layers
