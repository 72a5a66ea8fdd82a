#pragma once

#include "answers.hpp"

namespace nnrun::metrics {

// Of the samples of class 1, the share that the net finds; with more than two classes, the mean of that over the classes (macro
// average). A class without samples counts as 0.
struct Recall {
  static constexpr auto name = "recall";
  static constexpr auto doc = "share of the samples of class 1 that are found; with more than two classes, the mean over the classes";

  std::size_t plan(const nnrun_metric_plan& p) {
    answers_.plan(p);
    return answers_.matrix_size();
  }

  void add(const Tensor& output, const Tensor& labels, double* matrix) const { answers_.count(output, labels, matrix); }

  double result(const double* matrix) const {
    return answers_.mean_over_classes([&](std::int64_t c) {
      double samples = 0;
      for (std::int64_t answer = 0; answer < answers_.classes(); ++answer) samples += matrix[c * answers_.classes() + answer];
      return samples > 0 ? matrix[c * answers_.classes() + c] / samples : 0.0;
    });
  }

  void table(const double* matrix, nnrun_field& field) const { answers_.describe(matrix, field); }

 private:
  Answers answers_;
};

}  // namespace nnrun::metrics
