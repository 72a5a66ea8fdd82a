#pragma once

#include <algorithm>
#include <cmath>
#include <nnrun/plugin.hpp>
#include <numbers>

namespace nnrun::initializers {

// He et al. 2015. Box and Muller 1958: numbers 2i and 2i + 1 of the sequence make elements 2i and 2i + 1.
struct HeNormal {
  static constexpr auto name = "he_normal";
  static constexpr auto doc = "normal with deviation sqrt(2 / inputs): for layers that relu follows";

  void fill(const Tensor& weight, std::int64_t fan_in, std::int64_t, const nnrun_random_key& key) const {
    const double deviation = std::sqrt(2.0 / static_cast<double>(std::max<std::int64_t>(fan_in, 1)));
    Random random(key);
    float* w = weight.data();
    const std::int64_t count = weight.count();
    for (std::int64_t i = 0; i < count; i += 2) {
      const double u = 1.0 - static_cast<double>(random.next_uniform());  // (0, 1]: its logarithm is finite
      const double radius = deviation * std::sqrt(-2.0 * std::log(u));
      const double angle = 2.0 * std::numbers::pi * static_cast<double>(random.next_uniform());
      w[i] = static_cast<float>(radius * std::cos(angle));
      if (i + 1 < count) w[i + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
};

}  // namespace nnrun::initializers
