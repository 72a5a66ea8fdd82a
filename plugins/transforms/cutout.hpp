#pragma once

#include "picture.hpp"

namespace nnrun::transforms {

// DeVries and Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout": a rectangle of each training
// picture is covered, so that no single part of it decides.
struct Cutout {
  static constexpr auto name = "cutout";
  static constexpr auto doc = "in training, covers a rectangle at a random place of each picture";
  static constexpr bool augments = true;

  std::vector<std::int64_t> size{16};
  double fill = 0;
  double share = 1;

  static constexpr auto params() {
    return schema(
        param<&Cutout::size>("size", "height and width of the rectangle, in pixels; one number: both").items(1, 2).range(1, 65536),
        param<&Cutout::fill>("fill", "the number that covers, eg: 0 for black, 128 for grey bytes"),
        param<&Cutout::share>("share", "share of the pictures that are covered in part").range(0, 1));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) const {
    picture_size(input);
    if (input.dtype() == NNRUN_U8 && (fill < 0 || fill > 255)) throw Error("must be 0 to 255 for samples of bytes").at("fill");
    return make_tensor(input.dtype(), input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    copy_sample(x, y);
    Random random(key);
    if (!training || random.next_uniform() >= static_cast<float>(share)) return;
    const PictureSize whole = picture_size(x);
    // The rectangle's centre is any pixel, so that it may reach out of the picture, as in the paper.
    const auto range = [&](std::int64_t side, std::int64_t length) {
      const auto centre = static_cast<std::int64_t>((std::uint64_t{random.next()} * static_cast<std::uint64_t>(side)) >> 32);
      const std::int64_t begin = centre - length / 2;
      return std::pair(std::max<std::int64_t>(begin, 0), std::min(begin + length, side));
    };
    const auto [top, bottom] = range(whole.height, size.front());
    const auto [left, right] = range(whole.width, size.back());
    for (std::int64_t r = top; r < bottom; ++r) {
      const std::int64_t begin = (r * whole.width + left) * whole.channels, count = (right - left) * whole.channels;
      if (x.dtype() == NNRUN_U8) {
        std::fill_n(y.data<std::uint8_t>() + begin, count, static_cast<std::uint8_t>(fill));
      } else {
        std::fill_n(y.data<float>() + begin, count, static_cast<float>(fill));
      }
    }
  }
};

}  // namespace nnrun::transforms
