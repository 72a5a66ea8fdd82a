#pragma once

#include "activation.hpp"

namespace nnrun::layers {

// Elfwing, Uchibe and Doya 2018; any shape.
struct Silu {
  static constexpr auto name = "silu";
  static constexpr auto doc = "sigmoid linear unit, also called swish: y = x * sigmoid(x)";

  void plan(Plan& p) { activation_.plan(p, NNRUN_SILU, false, 13); }
  void forward(const Run& r) const { activation_.forward(r); }
  void backward(const Run& r) const { activation_.backward(r); }

 private:
  Activation activation_;
};

}  // namespace nnrun::layers
