#pragma once

#include "activation.hpp"

namespace nnrun::layers {

// Maas, Hannun and Ng 2013: y = x where x > 0, slope * x elsewhere; any shape.
struct LeakyRelu {
  static constexpr auto name = "leaky_relu";
  static constexpr auto doc = "rectifier that lets a little through: y = x above 0, slope * x below";

  double slope = 0.01;

  static constexpr auto params() { return schema(param<&LeakyRelu::slope>("slope", "of the part below 0").at_least(0)); }

  void plan(Plan& p) { activation_.plan(p, NNRUN_LEAKY_RELU, true, 2, static_cast<float>(slope)); }
  void forward(const Run& r) const { activation_.forward(r); }
  void backward(const Run& r) const { activation_.backward(r); }

 private:
  Activation activation_;
};

}  // namespace nnrun::layers
