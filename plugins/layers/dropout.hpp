#pragma once

#include <algorithm>
#include <cmath>

#include "inputs.hpp"

namespace nnrun::layers {

// Srivastava et al. 2014, inverted: in training each element is zeroed with probability `rate` and the others are divided
// by 1 - rate, so that inference has nothing to do. Element i is decided by number i of the step's key: the same on any
// number of threads.
struct Dropout {
  static constexpr auto name = "dropout";
  static constexpr auto doc = "zeroes a random share of the elements in training and scales up the rest";

  double rate = 0.5;

  static constexpr auto params() { return schema(param<&Dropout::rate>("rate", "share of the elements to zero").range(0, 1).below(1)); }

  void plan(Plan& p) {
    require_f32(p.input());
    p.output(p.input());
    p.in_place();
    const std::int64_t count = p.input().count();
    p.cost(static_cast<double>(count), static_cast<double>(count));
    // A byte an element: drawing the numbers a second time in backward would cost more than reading it.
    if (p.training()) mask_ = p.saved(static_cast<std::size_t>(count));
  }

  void forward(const Run& r) const {
    const float* x = r.x().data();
    float* y = r.y().data();
    if (!r.training()) {
      if (x == y) return;
      r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) { std::copy(x + begin, x + end, y + begin); });
      return;
    }
    auto* mask = r.saved<std::uint8_t>(mask_);
    const Random random(r.key());
    const float scale = kept_scale();
    // Dropped where the uniform number, made of a word's upper 24 bits, is below the rate.
    const auto threshold = static_cast<std::uint32_t>(std::ceil(rate * 0x1p24));
    r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; i += 4) {  // blocks begin at multiples of 4
        const auto words = random.block(static_cast<std::uint32_t>(i / 4));
        const std::int64_t last = std::min<std::int64_t>(end - i, 4);
        for (std::int64_t j = 0; j < last; ++j) {
          const bool kept = (words[static_cast<std::size_t>(j)] >> 8) >= threshold;
          mask[i + j] = kept ? 1 : 0;
          y[i + j] = kept ? x[i + j] * scale : 0.0f;
        }
      }
    });
  }

  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    const auto* mask = r.saved<const std::uint8_t>(mask_);
    const float* dy = r.dy().data();
    float* dx = r.dx().data();
    const float scale = kept_scale();
    r.parallel_elements(r.dy().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) dx[i] = mask[i] != 0 ? dy[i] * scale : 0.0f;
    });
  }

 private:
  float kept_scale() const { return static_cast<float>(1.0 / (1.0 - rate)); }

  int mask_ = 0;
};

}  // namespace nnrun::layers
