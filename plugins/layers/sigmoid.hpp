#pragma once

#include "activation.hpp"

namespace nnrun::layers {

// As the last layer under sigmoid_cross_entropy it is one too many: that loss takes logits. binary_cross_entropy wants it.
struct Sigmoid {
  static constexpr auto name = "sigmoid";
  static constexpr auto doc = "logistic function: y = 1 / (1 + exp(-x))";

  void plan(Plan& p) { activation_.plan(p, NNRUN_SIGMOID, true, 12); }
  void forward(const Run& r) const { activation_.forward(r); }
  void backward(const Run& r) const { activation_.backward(r); }

 private:
  Activation activation_;
};

}  // namespace nnrun::layers
