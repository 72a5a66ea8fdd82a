#pragma once

#include <cmath>

#include "targets.hpp"

namespace nnrun::losses {

// For logits x and targets t from 0 to 1: loss = -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)) = max(x, 0) - x t + log(1 + exp(-|x|)),
// which never overflows; its derivative is sigmoid(x) - t. One logit for two classes: above 0 means class 1.
struct SigmoidCrossEntropy {
  static constexpr auto name = "sigmoid_cross_entropy";
  static constexpr auto doc = "cross-entropy of the sigmoid of the outputs (logits) with the labels: one logit for two classes";

  void plan(nnrun_loss_plan& p) { targets_.plan(p, "logit", "softmax_cross_entropy"); }

  void run(const nnrun_loss_run& r) const {
    run_elementwise(
        r, targets_, [](double x, double t) { return (x > 0 ? x : 0.0) - x * t + std::log1p(std::exp(-std::fabs(x))); },
        [](double x, double t) { return sigmoid(x) - t; });
  }

  // (N, 1) to (N, 2) for two classes; otherwise one for one.
  void probabilities(const Tensor& output, const Tensor& result) const {
    for (std::int64_t i = 0; i < output.count(); ++i) {
      const auto x = static_cast<double>(output[i]);
      if (targets_.classes() == 2) {
        result[2 * i] = static_cast<float>(sigmoid(-x));
        result[2 * i + 1] = static_cast<float>(sigmoid(x));
      } else {
        result[i] = static_cast<float>(sigmoid(x));
      }
    }
  }

 private:
  // NaN stays NaN.
  static double sigmoid(double x) {
    const double e = std::exp(-std::fabs(x));
    return (x > 0 ? 1.0 : e) / (1.0 + e);
  }

  Targets targets_;
};

}  // namespace nnrun::losses
