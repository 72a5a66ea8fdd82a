#pragma once

#include "answers.hpp"

namespace nnrun::metrics {

// Share of the samples whose greatest output, the first one on a tie, is at the label. One output stands for two classes: a logit above
// 0, or a probability above 0.5, means class 1. Behind it stands the confusion matrix: rows are labels, columns answers.
struct Accuracy {
  static constexpr auto name = "accuracy";
  static constexpr auto doc = "share of the samples that are classified right";

  std::size_t plan(const nnrun_metric_plan& p) {
    answers_.plan(p);
    return answers_.matrix_size();
  }

  void add(const Tensor& output, const Tensor& labels, double* matrix) const { answers_.count(output, labels, matrix); }

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

  void table(const double* matrix, nnrun_field& field) const { answers_.describe(matrix, field); }

 private:
  Answers answers_;
};

}  // namespace nnrun::metrics
