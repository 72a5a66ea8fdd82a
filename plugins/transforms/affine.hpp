#pragma once

#include <numbers>

#include "picture.hpp"

namespace nnrun::transforms {

// Where the pixels of the turned picture come from, in coordinates relative to its centre, y downwards:
// source = matrix * (target - shift).
struct AffineMap {
  float matrix[2][2];
  float shift_x, shift_y;

  // The picture is sheared, enlarged by `zoom`, rotated clockwise by `rotate` and then shifted. Angles in degrees.
  static AffineMap make(double rotate, double shift_x, double shift_y, double zoom, double shear) {
    const double angle = rotate * std::numbers::pi / 180;
    const double slope = std::tan(shear * std::numbers::pi / 180);
    const double cosine = std::cos(angle) / zoom;
    const double sine = std::sin(angle) / zoom;
    // The inverse of rotation * zoom * (1 slope; 0 1).
    return {{{static_cast<float>(cosine + slope * sine), static_cast<float>(sine - slope * cosine)},
             {static_cast<float>(-sine), static_cast<float>(cosine)}},
            static_cast<float>(shift_x),
            static_cast<float>(shift_y)};
  }

  void apply(const Tensor& x, const Tensor& y, Border border = Border::black) const {
    const float centre_x = static_cast<float>(x.dim(1) - 1) * 0.5f;
    const float centre_y = static_cast<float>(x.dim(0) - 1) * 0.5f;
    resample(x, y, border, [&](std::int64_t r, std::int64_t c) {
      const float dx = static_cast<float>(c) - centre_x - shift_x;
      const float dy = static_cast<float>(r) - centre_y - shift_y;
      return std::pair(matrix[1][0] * dx + matrix[1][1] * dy + centre_y, matrix[0][0] * dx + matrix[0][1] * dy + centre_x);
    });
  }
};

// Turns, moves, resizes and slants each training sample by random amounts, uniform up to the given ones either way.
struct Affine {
  static constexpr auto name = "affine";
  static constexpr auto doc = "in training, rotates, shifts, zooms and shears each picture at random";
  static constexpr bool augments = true;

  double rotate = 0;
  double shift = 0;
  double zoom = 0;
  double shear = 0;
  std::string border = "black";

  static constexpr auto params() {
    return schema(param<&Affine::rotate>("rotate", "greatest rotation either way, in degrees").range(0, 180),
                  param<&Affine::shift>("shift", "greatest shift along each axis, in pixels").range(0, 65536),
                  param<&Affine::zoom>("zoom", "greatest change of size, as a share: 0.1 gives 0.9 to 1.1 times").range(0, 1).below(1),
                  param<&Affine::shear>("shear", "greatest slant either way, in degrees").range(0, 80),
                  param<&Affine::border>("border", border_doc).choices(border_names));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) const {
    picture_size(input);
    return make_tensor(input.dtype(), input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    if (!training) {
      copy_sample(x, y);
      return;
    }
    Random random(key);
    const auto within = [&](double greatest) { return greatest * (2.0 * static_cast<double>(random.next_uniform()) - 1.0); };
    const double angle = within(rotate);
    const double shift_x = within(shift);
    const double shift_y = within(shift);
    const double size = 1.0 + within(zoom);
    AffineMap::make(angle, shift_x, shift_y, size, within(shear)).apply(x, y, border_of(border));
  }
};

}  // namespace nnrun::transforms
