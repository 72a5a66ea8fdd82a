#pragma once

#include "confusion_matrix.hpp"

namespace nnrun::metrics {

// Of the samples that the net calls class 1, the share that is; with more than two classes, the mean of that over the classes (macro
// average). A class that is never answered counts as 0.
struct Precision : OfConfusionMatrix {
  static constexpr auto name = "precision";
  static constexpr auto doc = "share of the answers 'class 1' that are right; with more than two classes, the mean over the classes";

  double result(const double* matrix) const {
    return answers_.mean_over_classes([&](std::int64_t c) {
      double answered = 0;
      for (std::int64_t label = 0; label < answers_.classes(); ++label) answered += matrix[label * answers_.classes() + c];
      return answered > 0 ? matrix[c * answers_.classes() + c] / answered : 0.0;
    });
  }
};

}  // namespace nnrun::metrics
