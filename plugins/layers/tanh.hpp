#pragma once

#include "activation.hpp"

namespace nnrun::layers {

// y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)); any shape.
struct Tanh {
  static constexpr auto name = "tanh";
  static constexpr auto doc = "hyperbolic tangent, from -1 to 1";

  void plan(Plan& p) { activation_.plan(p, NNRUN_TANH, true, 20); }
  void forward(const Run& r) const { activation_.forward(r); }
  void backward(const Run& r) const { activation_.backward(r); }

 private:
  Activation activation_;
};

}  // namespace nnrun::layers
