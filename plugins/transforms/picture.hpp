// What the transforms that move pixels share: a sample (H, W, C) or (H, W) of bytes or floats, read between its pixels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

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

// A picture of floats with a border of zeros, so that reading between pixels needs no edge cases.
class PaddedPicture {
 public:
  template <class Number>
  PaddedPicture(const Number* picture, const PictureSize& size)
      : size_(size), row_length_((size.width + 3) * size.channels), values_(static_cast<std::size_t>((size.height + 3) * row_length_)) {
    const std::int64_t row_count = size.width * size.channels;
    for (std::int64_t r = 0; r < size.height; ++r) {
      float* row = values_.data() + (r + 1) * row_length_ + size.channels;
      for (std::int64_t i = 0; i < row_count; ++i) row[i] = static_cast<float>(picture[r * row_count + i]);
    }
  }

  // Writes all channels at (row, column), bilinearly; outside of the picture everything is 0.
  template <class Number>
  void read_between(float row, float column, Number* to) const {
    // Positions in the padded picture; what is further out than the border reads zeros there. (NaN becomes the lower end.)
    const float r = std::min(std::max(0.0f, row + 1), static_cast<float>(size_.height + 1));
    const float c = std::min(std::max(0.0f, column + 1), static_cast<float>(size_.width + 1));
    const auto top = static_cast<std::int32_t>(r), left = static_cast<std::int32_t>(c);
    const float below = r - static_cast<float>(top), right = c - static_cast<float>(left);
    const float* upper = values_.data() + top * row_length_ + left * size_.channels;
    const float* lower = upper + row_length_;
    for (std::int64_t i = 0; i < size_.channels; ++i) {
      const float above_value = upper[i] + (upper[i + size_.channels] - upper[i]) * right;
      const float below_value = lower[i] + (lower[i + size_.channels] - lower[i]) * right;
      store(above_value + (below_value - above_value) * below, to[i]);
    }
  }

 private:
  PictureSize size_;
  std::int64_t row_length_;
  std::vector<float> values_;
};

// y(r, c) = x(source(r, c)) for every pixel; source gives {row, column}.
template <class Source>
void resample(const Tensor& x, const Tensor& y, Source&& source) {
  const PictureSize size = picture_size(x);
  const auto all = [&](const auto* from, auto* to) {
    const PaddedPicture picture(from, size);
    for (std::int64_t r = 0; r < size.height; ++r) {
      for (std::int64_t c = 0; c < size.width; ++c, to += size.channels) {
        const auto [row, column] = source(r, c);
        picture.read_between(row, column, to);
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
