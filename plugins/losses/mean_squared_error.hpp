#pragma once

#include "targets.hpp"

namespace nnrun::losses {

// loss = mean over a sample's outputs of (x - target)^2.
struct MeanSquaredError {
  static constexpr auto name = "mean_squared_error";
  static constexpr auto doc = "mean square of the difference between the outputs and the targets, which are numbers";

  void plan(nnrun_loss_plan& p) {
    if (p.classes > 0) {
      throw Error("needs targets that are numbers, but the data has " + std::to_string(p.classes) +
                  " classes: choose sigmoid_cross_entropy or softmax_cross_entropy");
    }
    targets_.plan(p, "number", "");
  }

  void run(const nnrun_loss_run& r) const {
    run_elementwise(
        r, targets_, [](double x, double t) { return (x - t) * (x - t); }, [](double x, double t) { return 2.0 * (x - t); });
  }

 private:
  Targets targets_;
};

}  // namespace nnrun::losses
