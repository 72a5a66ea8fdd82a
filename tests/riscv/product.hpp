// The largest product of the MNIST net: 128 x 784, one image.
#pragma once

#include "rows.hpp"

#include <vector>

template <class Arguments, class X, class Weights>
struct Product {
  std::vector<X> x = std::vector<X>(784, 3);
  std::vector<Weights> weights = std::vector<Weights>(784 * 128, 2);
  std::vector<std::int32_t> bias = std::vector<std::int32_t>(128, 1), y = std::vector<std::int32_t>(128);
  Arguments a{};

  Product() {
    a.rows = 1;
    a.features = 128;
    a.depth = 784;
    a.has_bias = 1;
    a.x = x.data();
    a.weights = weights.data();
    a.bias = bias.data();
    a.y = y.data();
  }
};
