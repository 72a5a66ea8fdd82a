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

// Target distribution q of one row: (1 - smoothing) * target + smoothing / columns. Returns the sum of q * (largest - x).
float below_largest(const nnrun_softmax_cross_entropy_f32& a, int64_t row, float largest) {
  const float* x = a.x + row * a.columns;
  const Floats kept = all(1 - a.smoothing), spread = all(a.smoothing / static_cast<float>(a.columns)), l = all(largest);
  Floats sum = zero();
  const auto term = [&](Floats t, Floats value) {
    const Floats q = fma(t, kept, spread);
    return where_positive(q, multiply(q, subtract(l, value)));  // 0 times infinity is no number
  };
  int64_t j = 0;
  if (a.target) {
    const float* t = a.target + row * a.columns;
    for (; j + lanes <= a.columns; j += lanes) sum = add(sum, term(load(t + j), load(x + j)));
    const Mask rest = first(a.columns - j);
    return sum_of(add(sum, select(rest, term(load(t + j, rest), load(x + j, rest)), zero())));
  }
  const float own = (1 - a.smoothing) * (largest - x[a.label[row]]);
  if (a.smoothing <= 0) return own;
  for (; j + lanes <= a.columns; j += lanes) sum = add(sum, term(zero(), load(x + j)));
  const Mask rest = first(a.columns - j);
  return own + sum_of(add(sum, select(rest, term(zero(), load(x + j, rest)), zero())));
}

// dx -= scale * q
void subtract_targets(const nnrun_softmax_cross_entropy_f32& a, int64_t row, float* dx) {
  const Floats spread = all(a.scale * a.smoothing / static_cast<float>(a.columns)), kept = all(a.scale * (1 - a.smoothing));
  if (!a.target) dx[a.label[row]] -= a.scale * (1 - a.smoothing);
  if (!a.target && a.smoothing <= 0) return;
  const float* t = a.target ? a.target + row * a.columns : nullptr;
  int64_t j = 0;
  for (; j + lanes <= a.columns; j += lanes) {
    const Floats rest_of = subtract(load(dx + j), spread);
    store(dx + j, t ? fma_negated(load(t + j), kept, rest_of) : rest_of);
  }
  const Mask rest = first(a.columns - j);
  const Floats rest_of = subtract(load(dx + j, rest), spread);
  store(dx + j, t ? fma_negated(load(t + j, rest), kept, rest_of) : rest_of, rest);
}

}  // namespace

void softmax_f32_work(const nnrun_softmax_f32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_in_range(a.columns))); }

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
    const float below = below_largest(a, i, largest);  // read first: dx may be x
    const float sum = exponentials(x, a.columns, largest, dx);
    a.loss[i] = std::log(sum) + below;
    if (!dx) continue;
    multiply_by(dx, a.columns, a.scale / sum);
    subtract_targets(a, i, dx);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
