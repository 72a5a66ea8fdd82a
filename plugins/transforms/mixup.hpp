#pragma once

#include <cmath>

#include "picture.hpp"

namespace nnrun::transforms {

// Zhang, Cisse, Dauphin and Lopez-Paz 2018, "mixup: Beyond Empirical Risk Minimization": each training sample becomes
// a * itself + (1 - a) * another of its batch, its label likewise. The host does the mixing, behind all other transforms.
struct Mixup {
  static constexpr auto name = "mixup";
  static constexpr auto doc = "in training, mixes each sample and its label with another of the same batch";
  static constexpr bool augments = true;

  double alpha = 0.2;

  static constexpr auto params() {
    return schema(param<&Mixup::alpha>("alpha", "a sample's own share is drawn from the Beta(alpha, alpha) distribution").range(0.05, 4));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) const { return make_tensor(input.dtype(), input.shape()); }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key&, bool) const { copy_sample(x, y); }

  // Beta by Johnk 1964: of u^(1/alpha) and v^(1/alpha), where their sum is at most 1, the first's part.
  double own_share(const nnrun_random_key& key) const {
    Random random(key);
    for (;;) {
      const double u = std::pow(static_cast<double>(random.next_uniform()), 1 / alpha);
      const double v = std::pow(static_cast<double>(random.next_uniform()), 1 / alpha);
      if (u + v > 0 && u + v <= 1) return u / (u + v);
    }
  }
};

}  // namespace nnrun::transforms
