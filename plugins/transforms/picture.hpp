// What the transforms that move pixels share: a sample (H, W, C) or (H, W) of bytes or floats, read between its pixels.
#pragma once

#include <cmath>
#include <cstring>

#include "../common/text.hpp"

namespace nnrun::transforms {

struct PictureSize {
  std::int64_t height, width, channels;
};

inline PictureSize picture_size(const Tensor& sample) {
  if (sample.rank() != 2 && sample.rank() != 3) {
    throw Error("takes pictures (height, width, channels), got samples of " + to_string(sample.shape()));
  }
  if (sample.dtype() != NNRUN_U8 && sample.dtype() != NNRUN_F32)
    throw Error("takes u8 or f32, got " + dtype_name(sample.dtype()));
  return {sample.dim(0), sample.dim(1), sample.rank() == 3 ? sample.dim(2) : 1};
}

inline void copy_sample(const Tensor& x, const Tensor& y) {
  const std::size_t element = x.dtype() == NNRUN_U8 ? 1 : sizeof(float);
  std::memcpy(y.c().data, x.c().data, static_cast<std::size_t>(x.count()) * element);
}

inline void store(float value, float& to) { to = value; }
inline void store(float value, std::uint8_t& to) { to = static_cast<std::uint8_t>(value + 0.5f); }

// Writes all channels of the picture at (row, column), bilinearly; outside of it everything is 0.
template <class Number>
void read_between(const Number* picture, const PictureSize& size, float row, float column, Number* to) {
  if (!(row > -1 && column > -1 && row < static_cast<float>(size.height) && column < static_cast<float>(size.width))) {
    for (std::int64_t c = 0; c < size.channels; ++c) to[c] = 0;
    return;
  }
  const float top = std::floor(row);
  const float left = std::floor(column);
  const float below = row - top;
  const float right = column - left;
  const auto i = static_cast<std::int64_t>(top);
  const auto j = static_cast<std::int64_t>(left);
  const auto at = [&](std::int64_t r, std::int64_t c, std::int64_t channel) {
    const bool inside = r >= 0 && r < size.height && c >= 0 && c < size.width;
    return inside ? static_cast<float>(picture[(r * size.width + c) * size.channels + channel]) : 0.0f;
  };
  for (std::int64_t c = 0; c < size.channels; ++c) {
    const float upper = at(i, j, c) * (1 - right) + at(i, j + 1, c) * right;
    const float lower = at(i + 1, j, c) * (1 - right) + at(i + 1, j + 1, c) * right;
    store(upper * (1 - below) + lower * below, to[c]);
  }
}

// y(r, c) = x(source(r, c)) for every pixel; source gives {row, column}.
template <class Source>
void resample(const Tensor& x, const Tensor& y, Source&& source) {
  const PictureSize size = picture_size(x);
  const auto all = [&](const auto* from, auto* to) {
    for (std::int64_t r = 0; r < size.height; ++r) {
      for (std::int64_t c = 0; c < size.width; ++c) {
        const auto [row, column] = source(r, c);
        read_between(from, size, row, column, to + (r * size.width + c) * size.channels);
      }
    }
  };
  if (x.dtype() == NNRUN_U8) {
    all(x.data<const std::uint8_t>(), y.data<std::uint8_t>());
  } else {
    all(x.data<const float>(), y.data<float>());
  }
}

}  // namespace nnrun::transforms
