#pragma once

#include "answers.hpp"

namespace nnrun::metrics {

// What metrics have in common that follow from the confusion matrix: rows are labels, columns answers.
class OfConfusionMatrix {
 public:
  std::size_t plan(const nnrun_metric_plan& p) {
    answers_.plan(p);
    return answers_.matrix_size();
  }

  void add(const Tensor& output, const Tensor& labels, double* matrix) const { answers_.count(output, labels, matrix); }

  void table(const double* matrix, nnrun_field& field) const { answers_.describe(matrix, field); }

 protected:
  Answers answers_;
};

}  // namespace nnrun::metrics
