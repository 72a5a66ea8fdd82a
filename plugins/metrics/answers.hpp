// What a net's outputs say of a sample's class.
#pragma once

#include "../common/text.hpp"

namespace nnrun::metrics {

class Answers {
 public:
  // Throws Error where the outputs are not one a class, nor one for two classes.
  void plan(const nnrun_metric_plan& p) {
    const Tensor output(*p.output);
    if (p.classes == 0) throw Error("needs class labels, but the data's targets are numbers");
    if (output.dtype() != NNRUN_F32) throw Error("takes f32 outputs, got " + dtype_name(output.dtype()));
    columns_ = output.columns();
    classes_ = p.classes;
    if (columns_ != classes_ && !(columns_ == 1 && classes_ == 2)) {
      throw Error("the net gives " + std::to_string(columns_) + (columns_ == 1 ? " output" : " outputs") + " a sample, but the data has " +
                  std::to_string(classes_) + (classes_ == 1 ? " class" : " classes"));
    }
    threshold_ = p.outputs == NNRUN_OUTPUTS_PROBABILITIES ? 0.5f : 0.0f;
  }

  std::int64_t classes() const { return classes_; }
  std::size_t matrix_size() const { return static_cast<std::size_t>(classes_ * classes_); }

  // The first of the greatest outputs; or whether the only one is above the threshold.
  std::int64_t answer(const float* row) const {
    if (columns_ == 1) return row[0] > threshold_ && classes_ == 2 ? 1 : 0;
    std::int64_t best = 0;
    for (std::int64_t j = 1; j < columns_; ++j) {
      if (row[j] > row[best]) best = j;
    }
    return best;
  }

  // Adds the samples to matrix[label][answer].
  void count(const Tensor& output, const Tensor& labels, double* matrix) const {
    const auto* label = labels.data<const std::int32_t>();
    for (std::int64_t i = 0; i < output.rows(); ++i) matrix[label[i] * classes_ + answer(output.data() + i * columns_)] += 1;
  }

  // For two classes figure(1), otherwise the mean of all.
  double mean_over_classes(const auto& figure) const {
    if (classes_ == 2) return figure(1);
    double sum = 0;
    for (std::int64_t c = 0; c < classes_; ++c) sum += figure(c);
    return sum / static_cast<double>(classes_);
  }

  // As a field of the `test` event; a table of more than 100 classes helps nobody.
  void describe(const double* matrix, nnrun_field& field) const {
    if (classes_ > 100) return;
    field.name = "confusion_matrix";
    field.numbers = matrix;
    field.rows = field.columns = classes_;
  }

 private:
  std::int64_t columns_ = 1, classes_ = 2;
  float threshold_ = 0;
};

}  // namespace nnrun::metrics
