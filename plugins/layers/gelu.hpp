#pragma once

#include "activation.hpp"

namespace nnrun::layers {

// Hendrycks and Gimpel 2016: y = x * Phi(x), Phi the normal distribution: exact, or the paper's approximation by tanh, which
// differs by up to 5e-4.
struct Gelu {
  static constexpr auto name = "gelu";
  static constexpr auto doc = "Gaussian error linear unit: y = x * Phi(x), Phi the normal distribution function";

  std::string approximate = "none";

  static constexpr const char* const forms[] = {"none", "tanh", nullptr};
  static constexpr auto params() {
    return schema(
        param<&Gelu::approximate>("approximate", "none: the exact function; tanh: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))")
            .choices(forms));
  }

  void plan(Plan& p) { activation_.plan(p, approximate == "tanh" ? NNRUN_GELU_TANH : NNRUN_GELU, false, 30); }
  void forward(const Run& r) const { activation_.forward(r); }
  void backward(const Run& r) const { activation_.backward(r); }

 private:
  Activation activation_;
};

}  // namespace nnrun::layers
