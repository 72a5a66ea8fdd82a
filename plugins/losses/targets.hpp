// What the losses on numbers between 0 and 1 share: the target of each output.
#pragma once

#include "../common/text.hpp"

namespace nnrun::losses {

// One output for two classes: the target is the share of class 1. Several outputs: as many targets, each from 0 to 1.
class Targets {
 public:
  // Throws Error where the net's outputs fit neither. `unit`: what an output is, eg: "logit".
  void plan(const nnrun_loss_plan& p, const char* unit, const char* for_more) {
    const Tensor output(*p.output);
    if (output.dtype() != NNRUN_F32) throw Error("takes f32 outputs, got " + dtype_name(output.dtype()));
    if (output.rank() != 2)
      throw Error("takes outputs (N, " + std::string(unit) + "s), got " + sample_shape(output) + ": end the net with `flatten`");
    columns_ = output.dim(1);
    if (p.classes > 2 || p.classes == 1) {
      throw Error(std::string("takes one ") + unit + " for two classes, but the data has " + std::to_string(p.classes) +
                  (p.classes == 1 ? " class" : " classes: choose " + std::string(for_more)));
    }
    if (p.classes == 2 && columns_ != 1) {
      throw Error(std::string("takes one ") + unit + " for two classes, but the net gives " + std::to_string(columns_) +
                  " outputs a sample: make the last dense layer {units: 1}, or choose " + for_more);
    }
    if (p.classes == 0 && columns_ != p.targets) {
      throw Error("the net gives " + std::to_string(columns_) + (columns_ == 1 ? " output" : " outputs") + " a sample, but the data has " +
                  std::to_string(p.targets) + (p.targets == 1 ? " target" : " targets") +
                  ": make the last dense layer {units: " + std::to_string(p.targets) + "}");
    }
    classes_ = p.classes;
  }

  std::int64_t columns() const { return columns_; }
  std::int64_t classes() const { return classes_; }

  // Of output `column` of sample `row`.
  float at(const Tensor& labels, std::int64_t row, std::int64_t column) const {
    if (labels.dtype() == NNRUN_S32) return static_cast<float>(labels.data<const std::int32_t>()[row]);
    return classes_ == 2 ? labels.data<const float>()[2 * row + 1] : labels.data<const float>()[row * columns_ + column];
  }

 private:
  std::int64_t columns_ = 1, classes_ = 0;
};

// loss(output, target) of each element, averaged over a sample's elements; slope(output, target) is its derivative.
template <class Loss, class Slope>
void run_elementwise(const nnrun_loss_run& r, const Targets& targets, Loss loss, Slope slope) {
  const Tensor output(*r.output), labels(*r.labels);
  const std::int64_t rows = output.rows(), columns = targets.columns();
  const double scale = 1.0 / (static_cast<double>(rows) * static_cast<double>(columns));
  const auto run_rows = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < columns; ++j) {
        const auto x = static_cast<double>(output[i * columns + j]), target = static_cast<double>(targets.at(labels, i, j));
        sum += loss(x, target);
        if (r.d_output != nullptr) Tensor(*r.d_output)[i * columns + j] = static_cast<float>(slope(x, target) * scale);
      }
      r.losses[i] = static_cast<float>(sum / static_cast<double>(columns));
    }
  };
  constexpr std::int64_t elements_a_range = 4096;
  Host(r.host).parallel_elements(rows, run_rows, columns < elements_a_range ? elements_a_range / columns : 1);
}

}  // namespace nnrun::losses
