#pragma once

#include "confusion_matrix.hpp"

namespace nnrun::metrics {

// Of the samples of class 1, the share that the net finds; with more than two classes, the mean of that over the classes (macro
// average). A class without samples counts as 0.
struct Recall : OfConfusionMatrix {
  static constexpr auto name = "recall";
  static constexpr auto doc = "share of the samples of class 1 that are found; with more than two classes, the mean over the classes";

  double result(const double* matrix) const {
    return answers_.mean_over_classes([&](std::int64_t c) {
      double samples = 0;
      for (std::int64_t answer = 0; answer < answers_.classes(); ++answer) samples += matrix[c * answers_.classes() + answer];
      return samples > 0 ? matrix[c * answers_.classes() + c] / samples : 0.0;
    });
  }
};

}  // namespace nnrun::metrics
