// Text for messages, shared by the built-in plugins.
#pragma once

#include <cstdio>
#include <nnrun/plugin.hpp>
#include <string>

namespace nnrun {

inline std::string dtype_name(nnrun_dtype dtype) {
  switch (dtype) {
    case NNRUN_F32: return "f32";
    case NNRUN_BF16: return "bf16";
    case NNRUN_U8: return "u8";
    case NNRUN_S8: return "s8";
    case NNRUN_S32: return "s32";
  }
  return "dtype " + std::to_string(static_cast<unsigned>(dtype));
}

// (128, 28, 28, 1) is shown as (N, 28, 28, 1): the batch is not what a user got wrong.
inline std::string sample_shape(const Tensor& batch) {
  std::string text = "(N";
  for (std::size_t i = 1; i < batch.rank(); ++i) text += ", " + std::to_string(batch.dim(i));
  return text + ")";
}

// 60000 as 60,000.
inline std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

// printf into a string, for single numbers.
template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

}  // namespace nnrun
