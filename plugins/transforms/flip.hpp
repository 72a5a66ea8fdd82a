#pragma once

#include "picture.hpp"

namespace nnrun::transforms {

// Turns training pictures over: left becomes right, or top becomes bottom.
struct Flip {
  static constexpr auto name = "flip";
  static constexpr auto doc = "in training, mirrors pictures at random";
  static constexpr bool augments = true;

  double horizontal = 0.5;
  double vertical = 0;

  static constexpr auto params() {
    return schema(param<&Flip::horizontal>("horizontal", "share of the pictures whose left and right are exchanged").range(0, 1),
                  param<&Flip::vertical>("vertical", "share of the pictures whose top and bottom are exchanged").range(0, 1));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) const {
    picture_size(input);
    return make_tensor(input.dtype(), input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    Random random(key);
    const bool left_right = random.next_uniform() < static_cast<float>(horizontal);
    const bool top_bottom = random.next_uniform() < static_cast<float>(vertical);
    if (!training || (!left_right && !top_bottom)) {
      copy_sample(x, y);
    } else if (x.dtype() == NNRUN_U8) {
      mirror(x.data<const std::uint8_t>(), y.data<std::uint8_t>(), picture_size(x), left_right, top_bottom);
    } else {
      mirror(x.data<const float>(), y.data<float>(), picture_size(x), left_right, top_bottom);
    }
  }

 private:
  template <class Number>
  static void mirror(const Number* x, Number* y, const PictureSize& size, bool left_right, bool top_bottom) {
    const std::int64_t row_length = size.width * size.channels;
    for (std::int64_t r = 0; r < size.height; ++r, y += row_length) {
      const Number* from = x + (top_bottom ? size.height - 1 - r : r) * row_length;
      if (!left_right) {
        std::copy_n(from, row_length, y);
      } else if (size.channels == 3) {
        for (std::int64_t c = 0; c < size.width; ++c) std::copy_n(from + (size.width - 1 - c) * 3, 3, y + c * 3);
      } else {
        for (std::int64_t c = 0; c < size.width; ++c) {
          std::copy_n(from + (size.width - 1 - c) * size.channels, size.channels, y + c * size.channels);
        }
      }
    }
  }
};

}  // namespace nnrun::transforms
