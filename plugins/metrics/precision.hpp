#pragma once

#include "answers.hpp"

namespace nnrun::metrics {

// Of the samples that the net calls class 1, the share that is; with more than two classes, the mean of that over the classes (macro
// average). A class that is never answered counts as 0.
struct Precision {
  static constexpr auto name = "precision";
  static constexpr auto doc = "share of the answers 'class 1' that are right; with more than two classes, the mean over the classes";

  std::size_t plan(const nnrun_metric_plan& p) {
    answers_.plan(p);
    return answers_.matrix_size();
  }

  void add(const Tensor& output, const Tensor& labels, double* matrix) const { answers_.count(output, labels, matrix); }

  double result(const double* matrix) const {
    return answers_.mean_over_classes([&](std::int64_t c) {
      double answered = 0;
      for (std::int64_t label = 0; label < answers_.classes(); ++label) answered += matrix[label * answers_.classes() + c];
      return answered > 0 ? matrix[c * answers_.classes() + c] / answered : 0.0;
    });
  }

  void table(const double* matrix, nnrun_field& field) const { answers_.describe(matrix, field); }

 private:
  Answers answers_;
};

}  // namespace nnrun::metrics
