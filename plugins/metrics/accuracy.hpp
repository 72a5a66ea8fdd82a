#pragma once

#include "../common/text.hpp"

namespace nnrun::metrics {

// Share of the samples whose greatest output, the first one on a tie, is at the label. One output column stands for two
// classes: above 0 means class 1.
struct Accuracy {
  static constexpr auto name = "accuracy";
  static constexpr auto doc = "share of the samples that are classified right";
  static constexpr std::size_t sums = 2;  // right, all

  void add(const Tensor& output, const Tensor& labels, std::span<double> totals) const {
    if (labels.dtype() != NNRUN_S32) throw Error("needs class labels, but the data's targets are numbers");
    if (output.dtype() != NNRUN_F32) throw Error("takes f32 outputs, got " + dtype_name(output.dtype()));
    const std::int64_t rows = output.rows();
    const std::int64_t columns = output.columns();
    const auto* label = labels.data<const std::int32_t>();
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* row = output.data() + i * columns;
      std::int64_t answer = 0;
      if (columns == 1) {
        answer = row[0] > 0 ? 1 : 0;
      } else {
        for (std::int64_t j = 1; j < columns; ++j) {
          if (row[j] > row[answer]) answer = j;
        }
      }
      right += answer == label[i] ? 1 : 0;
    }
    totals[0] += static_cast<double>(right);
    totals[1] += static_cast<double>(rows);
  }

  double result(std::span<const double> totals) const { return totals[1] > 0 ? totals[0] / totals[1] : 0.0; }
};

}  // namespace nnrun::metrics
