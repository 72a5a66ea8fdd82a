#pragma once

#include <bit>
#include <cmath>

#include "answers.hpp"

namespace nnrun::metrics {

// Area under the ROC curve: how likely a random sample of class 1 scores higher than one of class 0 (Hanley and McNeil 1982), ties
// counting half. Scores are logits (the second less the first, or the only one), and are counted in bins of their upper 18 bits: two
// that differ by less than about 0.2 % may count as tied.
struct Auc {
  static constexpr auto name = "auc";
  static constexpr auto doc = "area under the ROC curve, for two classes: 0.5 is guessing, 1 is perfect";

  std::size_t plan(const nnrun_metric_plan& p) {
    if (p.classes != 2)
      throw Error("is for two classes, but the data has " + (p.classes == 0 ? std::string("none") : std::to_string(p.classes)));
    Answers().plan(p);  // refuses what does not fit
    columns_ = Tensor(*p.output).columns();
    probabilities_ = p.outputs == NNRUN_OUTPUTS_PROBABILITIES;
    return 2 * bins;
  }

  void add(const Tensor& output, const Tensor& labels, double* counts) const {
    const auto* label = labels.data<const std::int32_t>();
    for (std::int64_t i = 0; i < output.rows(); ++i)
      counts[bins * static_cast<std::size_t>(label[i]) + bin_of(score(output.data() + i * columns_))] += 1;
  }

  // 0.5 where a class has no samples: nothing can be said.
  double result(const double* counts) const {
    double zeros = 0, ones = 0, won = 0;
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double ones_here = counts[bins + bin];
      won += ones_here * (zeros + 0.5 * counts[bin]);
      zeros += counts[bin];
      ones += ones_here;
    }
    return zeros > 0 && ones > 0 ? won / (zeros * ones) : 0.5;
  }

 private:
  static constexpr std::size_t bins = std::size_t{1} << 18;

  // Probabilities become logits: near 0 and 1 their differences matter as much as in between.
  float score(const float* row) const {
    if (!probabilities_) return columns_ == 1 ? row[0] : row[1] - row[0];
    return std::log(columns_ == 1 ? row[0] / (1.0f - row[0]) : row[1] / row[0]);
  }

  // Floats in their order, NaN somewhere at the ends.
  static std::size_t bin_of(float score) {
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);  // -0 becomes 0
    const std::uint32_t ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return ordered >> 14;
  }

  std::int64_t columns_ = 1;
  bool probabilities_ = false;
};

}  // namespace nnrun::metrics
