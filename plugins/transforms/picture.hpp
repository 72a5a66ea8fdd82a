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
  if (sample.dtype() != NNRUN_U8 && sample.dtype() != NNRUN_F32) throw Error("takes u8 or f32, got " + dtype_name(sample.dtype()));
  return {sample.dim(0), sample.dim(1), sample.rank() == 3 ? sample.dim(2) : 1};
}

inline void copy_sample(const Tensor& x, const Tensor& y) {
  const std::size_t element = x.dtype() == NNRUN_U8 ? 1 : sizeof(float);
  std::memcpy(y.c().data, x.c().data, static_cast<std::size_t>(x.count()) * element);
}

// What lies around a picture: nothing but zeros, or its outermost pixels on and on.
enum class Border {
  black,
  edge
};

inline constexpr const char* border_names[] = {"black", "edge", nullptr};
inline constexpr const char* border_doc = "what lies around the picture: black, or edge: its outermost pixels on and on";
inline Border border_of(const std::string& name) { return name == "edge" ? Border::edge : Border::black; }

inline void store(float value, float& to) { to = value; }
inline void store(float value, std::uint8_t& to) { to = static_cast<std::uint8_t>(value + 0.5f); }

// A picture of floats with a border of zeros, so that reading between pixels needs no edge cases. One a thread: its memory is used
// again.
class PaddedPicture {
 public:
  template <class Number>
  void assign(const Number* picture, const PictureSize& size, Border border) {
    size_ = size;
    row_length_ = (size.width + 3) * size.channels;
    // Three more, for those who read four channels at once.
    values_.assign(static_cast<std::size_t>((size.height + 3) * row_length_ + 3), 0.0f);
    const std::int64_t row_count = size.width * size.channels;
    for (std::int64_t r = 0; r < size.height; ++r) {
      float* row = values_.data() + (r + 1) * row_length_ + size.channels;
      for (std::int64_t i = 0; i < row_count; ++i) row[i] = static_cast<float>(picture[r * row_count + i]);
    }
    // What is further out than the border reads zeros there, or the edge.
    const bool edge = border == Border::edge;
    low_ = edge ? 1.0f : 0.0f;
    high_row_ = static_cast<float>(edge ? size.height : size.height + 1);
    high_column_ = static_cast<float>(edge ? size.width : size.width + 1);
  }

  // Writes all channels at (row, column), bilinearly.
  template <bool three_channels, class Number>
  void read_between(float row, float column, Number* to) const {
    // Positions in the padded picture. (NaN becomes the lower end.)
    const float r = std::min(std::max(low_, row + 1), high_row_);
    const float c = std::min(std::max(low_, column + 1), high_column_);
    const auto top = static_cast<std::int32_t>(r), left = static_cast<std::int32_t>(c);
    const float below = r - static_cast<float>(top), right = c - static_cast<float>(left);
    if constexpr (three_channels) {
      const float* upper = values_.data() + top * row_length_ + left * 3;
      const float* lower = upper + row_length_;
      const Four upper_left = load(upper), lower_left = load(lower);
      const Four above_value = upper_left + (load(upper + 3) - upper_left) * right;
      const Four below_value = lower_left + (load(lower + 3) - lower_left) * right;
      const Four value = above_value + (below_value - above_value) * below;
      for (int i = 0; i < 3; ++i) store(value[i], to[i]);
      return;
    }
    const float* upper = values_.data() + top * row_length_ + left * size_.channels;
    const float* lower = upper + row_length_;
    for (std::int64_t i = 0; i < size_.channels; ++i) {
      const float above_value = upper[i] + (upper[i + size_.channels] - upper[i]) * right;
      const float below_value = lower[i] + (lower[i + size_.channels] - lower[i]) * right;
      store(above_value + (below_value - above_value) * below, to[i]);
    }
  }

 private:
  // Four channels at once, of which three are used: g++ and clang++ make vectors of it.
  typedef float Four __attribute__((vector_size(16)));
  static Four load(const float* from) {
    Four four;
    std::memcpy(&four, from, sizeof four);
    return four;
  }

  PictureSize size_{};
  std::int64_t row_length_ = 0;
  float low_ = 0, high_row_ = 0, high_column_ = 0;
  std::vector<float> values_;
};

// y(r, c) = x(source(r, c)) for every pixel; source gives {row, column}.
template <class Source>
void resample(const Tensor& x, const Tensor& y, Border border, Source&& source) {
  thread_local PaddedPicture picture;
  const PictureSize size = picture_size(x);
  const auto all = [&]<bool three_channels>(auto* to) {
    for (std::int64_t r = 0; r < size.height; ++r) {
      for (std::int64_t c = 0; c < size.width; ++c, to += size.channels) {
        const auto [row, column] = source(r, c);
        picture.read_between<three_channels>(row, column, to);
      }
    }
  };
  const auto each = [&](const auto* from, auto* to) {
    picture.assign(from, size, border);
    if (size.channels == 3) {
      all.template operator()<true>(to);
    } else {
      all.template operator()<false>(to);
    }
  };
  if (x.dtype() == NNRUN_U8) {
    each(x.data<const std::uint8_t>(), y.data<std::uint8_t>());
  } else {
    each(x.data<const float>(), y.data<float>());
  }
}

}  // namespace nnrun::transforms
