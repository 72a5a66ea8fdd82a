// `nnrun check-gradients`: are the gradients of a config's net those of its loss? Finite differences say so, on a real batch.
//
// Each layer alone: with the inputs and the gradient that it really gets, its dx and the gradients of its weights are compared with
// central differences of sum(y * dy), added up in double, along directions: the gradient's own signs, random signs, and single
// elements. The step is 2^-6 of the numbers' root mean square, and its half; Richardson (1911) extrapolates. Outputs that meet a kink
// between the points (a relu's 0, another maximum) are left out of that direction's sum, and of the gradient that backward gets.
//
// Each weight through the whole net, as training runs it: the loss along its gradient, at the step whose half changes the answer
// least.
#pragma once

#include "plugins/environment.hpp"
#include "training/data.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::core {

struct GradientRow {
  enum class Outcome {
    ok,
    failed,
    not_checked
  };
  std::string layer;   // eg: "1.dense + relu"; "loss"
  std::string tensor;  // "dx", "weights", ...
  Location where;      // of the layer in the config
  Outcome outcome = Outcome::not_checked;
  double error = 0;    // the largest relative one
  int directions = 0;  // that counted
  std::string detail;  // where it failed or was not checked
  // Of weights: through the whole net.
  std::optional<double> net_error;
  bool net_failed = false;
};

struct GradientReport {
  std::int64_t samples = 0;
  double loss = 0;
  std::vector<GradientRow> rows;  // in the net's order, the loss last
  bool passed() const;
  // The row at fault: going back from the loss, the first that fails. NULL: none.
  const GradientRow* fault() const;

  static constexpr double layer_bound = 0.01, net_bound = 0.05;  // largest relative errors that pass
};

// On the first batch of the first epoch, with the initial weights; those that are all alike (biases) are moved by 0.02 to 0.1. Throws
// DiagnosticError and RunError as a training does.
GradientReport check_gradients(const Environment& environment, Data& data);

}  // namespace nnrun::core
