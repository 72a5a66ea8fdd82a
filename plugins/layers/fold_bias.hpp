#pragma once

#include <cstddef>
#include <span>

namespace nnrun::layers {

// bias * scale + offset, one a channel; an empty `bias` is none.
inline void fold_bias(std::span<const float> bias, const float* scale, const float* offset, std::span<float> folded) {
  for (std::size_t c = 0; c < folded.size(); ++c) {
    const double scaled = bias.empty() ? 0 : static_cast<double>(bias[c]) * static_cast<double>(scale[c]);
    folded[c] = static_cast<float>(scaled + static_cast<double>(offset[c]));
  }
}

}  // namespace nnrun::layers
