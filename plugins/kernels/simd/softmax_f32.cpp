#include <cmath>

#include "exponential.hpp"
#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t elements_in_range = 4096;  // an exponential costs some ten times an addition

int64_t rows_in_range(int64_t columns) { return larger(1, elements_in_range / columns); }

float largest_in(const float* x, int64_t count) {
  Floats m = all(x[0]);  // lanes behind the end repeat it
  int64_t j = 0;
  for (; j + lanes <= count; j += lanes) m = maximum(m, load(x + j));
  const Mask rest = first(count - j);
  return largest_of(maximum(m, select(rest, load(x + j, rest), m)));
}

// Returns the sum of exp(x - largest), and writes the terms to y where y is not NULL.
float exponentials(const float* x, int64_t count, float largest, float* y) {
  const Floats l = all(largest);
  Floats sum = zero();
  int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    const Floats e = exponential(subtract(load(x + j), l));
    if (y) store(y + j, e);
    sum = add(sum, e);
  }
  const Mask rest = first(count - j);
  const Floats e = select(rest, exponential(subtract(load(x + j, rest), l)), zero());
  if (y) store(y + j, e, rest);
  return sum_of(add(sum, e));
}

void multiply_by(float* y, int64_t count, float factor) {
  const Floats f = all(factor);
  int64_t j = 0;
  for (; j + lanes <= count; j += lanes) store(y + j, multiply(load(y + j), f));
  const Mask rest = first(count - j);
  store(y + j, multiply(load(y + j, rest), f), rest);
}

}  // namespace

void softmax_f32_work(const nnrun_softmax_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.rows, rows_in_range(a.columns)));
}

void softmax_f32_run(const nnrun_softmax_f32& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_in_range(a.columns), range);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const float* x = a.x + i * a.columns;
    float* y = a.y + i * a.columns;
    const float sum = exponentials(x, a.columns, largest_in(x, a.columns), y);
    multiply_by(y, a.columns, 1 / sum);
  }
}

void softmax_cross_entropy_f32_work(const nnrun_softmax_cross_entropy_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.rows, rows_in_range(a.columns)));
}

void softmax_cross_entropy_f32_run(const nnrun_softmax_cross_entropy_f32& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_in_range(a.columns), range);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const float* x = a.x + i * a.columns;
    float* dx = a.dx ? a.dx + i * a.columns : nullptr;
    const float largest = largest_in(x, a.columns);
    const float target = x[a.label[i]];  // read first: dx may be x
    const float sum = exponentials(x, a.columns, largest, dx);
    a.loss[i] = std::log(sum) + (largest - target);
    if (!dx) continue;
    multiply_by(dx, a.columns, a.scale / sum);
    dx[a.label[i]] -= a.scale;
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
