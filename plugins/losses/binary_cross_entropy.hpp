#pragma once

#include <algorithm>
#include <cmath>

#include "targets.hpp"

namespace nnrun::losses {

// For probabilities p (what a sigmoid layer gives) and targets t from 0 to 1: loss = -t log(p) - (1 - t) log(1 - p). As in PyTorch, a
// logarithm counts as at least -100, and the derivative (p - t) / (p (1 - p)) divides by at least 1e-12: at p = 0 or 1 both stay
// finite. sigmoid_cross_entropy on the logit has neither limit and is the better choice for training.
struct BinaryCrossEntropy {
  static constexpr auto name = "binary_cross_entropy";
  static constexpr auto doc = "cross-entropy of the outputs, probabilities from 0 to 1, with the labels: one for two classes";
  static constexpr std::uint32_t outputs = NNRUN_OUTPUTS_PROBABILITIES;

  void plan(nnrun_loss_plan& p) { targets_.plan(p, "probability", "softmax_cross_entropy"); }

  void run(const nnrun_loss_run& r) const {
    const Tensor output(*r.output);
    for (const float p : output.span()) {
      if (p < 0 || p > 1) {
        throw Error("takes probabilities from 0 to 1, but the net gives " + format("%g", static_cast<double>(p)) +
                    ": end it with `sigmoid`, or take train.loss: sigmoid_cross_entropy");
      }
    }
    const auto logarithm = [](double p) { return std::max(std::log(p), -100.0); };
    run_elementwise(
        r, targets_, [&](double p, double t) { return std::isnan(p) ? p : -t * logarithm(p) - (1.0 - t) * logarithm(1.0 - p); },
        [](double p, double t) { return (p - t) / std::max(p * (1.0 - p), 1e-12); });
  }

  // (N, 1) to (N, 2) for two classes; otherwise as they are.
  void probabilities(const Tensor& output, const Tensor& result) const {
    for (std::int64_t i = 0; i < output.count(); ++i) {
      if (targets_.classes() == 2) {
        result[2 * i] = 1.0f - output[i];
        result[2 * i + 1] = output[i];
      } else {
        result[i] = output[i];
      }
    }
  }

 private:
  Targets targets_;
};

}  // namespace nnrun::losses
