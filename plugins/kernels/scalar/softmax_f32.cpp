#include "kernels.hpp"

#include <cmath>

namespace nnrun_scalar {
namespace {

struct Sums {
  double largest, exponentials;
};

// The largest of x[0..count), and the sum of exp(x - largest). A NaN anywhere makes the sum NaN.
Sums sums_of(const float* x, int64_t count) {
  Sums sums = {static_cast<double>(x[0]), 0};
  for (int64_t j = 1; j < count; ++j) sums.largest = x[j] > sums.largest ? static_cast<double>(x[j]) : sums.largest;
  for (int64_t j = 0; j < count; ++j) sums.exponentials += std::exp(static_cast<double>(x[j]) - sums.largest);
  return sums;
}

double probability(float x, Sums sums) { return std::exp(static_cast<double>(x) - sums.largest) / sums.exponentials; }

}  // namespace

void softmax_f32_work(const nnrun_softmax_f32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_per_range(a.columns))); }

void softmax_f32_run(const nnrun_softmax_f32& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_per_range(a.columns), range);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const float* x = a.x + i * a.columns;
    const Sums sums = sums_of(x, a.columns);
    for (int64_t j = 0; j < a.columns; ++j) a.y[i * a.columns + j] = static_cast<float>(probability(x[j], sums));
  }
}

void softmax_cross_entropy_f32_work(const nnrun_softmax_cross_entropy_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.rows, rows_per_range(a.columns)));
}

void softmax_cross_entropy_f32_run(const nnrun_softmax_cross_entropy_f32& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_per_range(a.columns), range);
  const double kept = 1 - static_cast<double>(a.smoothing);
  const double spread = static_cast<double>(a.smoothing) / static_cast<double>(a.columns);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const float* x = a.x + i * a.columns;
    const Sums sums = sums_of(x, a.columns);
    double below = 0;  // how far the logits lie below the largest, weighted by the targets
    for (int64_t j = 0; j < a.columns; ++j) {
      const double hot = a.target ? static_cast<double>(a.target[i * a.columns + j]) : j == a.label[i] ? 1 : 0;
      const double target = kept * hot + spread;
      const double logit = static_cast<double>(x[j]);
      if (target != 0) below += target * (sums.largest - logit);
      if (a.dx) a.dx[i * a.columns + j] = static_cast<float>((probability(x[j], sums) - target) * static_cast<double>(a.scale));
    }
    a.loss[i] = static_cast<float>(std::log(sums.exponentials) + below);
  }
}

}  // namespace nnrun_scalar
