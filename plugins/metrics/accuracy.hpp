#pragma once

#include "confusion_matrix.hpp"

namespace nnrun::metrics {

// Share of the samples whose greatest output, the first one on a tie, is at the label. One output stands for two classes: a logit above
// 0, or a probability above 0.5, means class 1.
struct Accuracy : OfConfusionMatrix {
  static constexpr auto name = "accuracy";
  static constexpr auto doc = "share of the samples that are classified right";

  double result(const double* matrix) const {
    double right = 0, all = 0;
    for (std::int64_t label = 0; label < answers_.classes(); ++label) {
      for (std::int64_t answer = 0; answer < answers_.classes(); ++answer) {
        const double samples = matrix[label * answers_.classes() + answer];
        all += samples;
        if (label == answer) right += samples;
      }
    }
    return all > 0 ? right / all : 0.0;
  }
};

}  // namespace nnrun::metrics
