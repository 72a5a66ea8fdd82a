#include "gemm.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// rows x columns dot products of length k, each in its own vector sum.
template <int rows, int columns>
void dots(const nnrun_gemm_f32& g, int64_t j0) {
  Floats sum[rows][columns];
  repeat<rows>([&](auto i) { repeat<columns>([&](auto j) { sum[i][j] = zero(); }); });
  const float* b = g.b + j0 * g.ldb;
  const auto multiply_add = [&](auto get) __attribute__((always_inline)) {
    Floats x[rows];
    repeat<rows>([&](auto i) __attribute__((always_inline)) { x[i] = get(g.a + i * g.lda); });
    repeat<columns>([&](auto j) __attribute__((always_inline)) {
      const Floats y = get(b + j * g.ldb);
      repeat<rows>([&](auto i) __attribute__((always_inline)) { sum[i][j] = fma(x[i], y, sum[i][j]); });
    });
  };
  int64_t p = 0;
  for (; p + lanes <= g.k; p += lanes) multiply_add([p](const float* from) { return load(from + p); });
  if (p < g.k) {
    const Mask rest = first(g.k - p);
    multiply_add([p, rest](const float* from) { return load(from + p, rest); });
  }
  repeat<rows>([&](auto i) {
    repeat<columns>([&](auto j) {
      float* c = g.c + i * g.ldc + j0 + j;
      float s = sum_of(sum[i][j]);
      if (g.bias) s += g.bias[j0 + j];
      if (g.accumulate) s += *c;
      *c = g.relu && s < 0 ? 0.0f : s;
    });
  });
}

template <int rows, int at_once>
void all_columns(const nnrun_gemm_f32& g, Slice columns) {
  int64_t j = columns.begin;
  for (; j + at_once <= columns.end; j += at_once) dots<rows, at_once>(g, j);
  for (; j < columns.end; ++j) dots<rows, 1>(g, j);
}

}  // namespace

void multiply_by_dots(const nnrun_gemm_f32& g, int64_t first_column, int64_t end_column) {
  const Slice columns = {first_column, end_column};
  switch (g.m) {
    case 1: return all_columns<1, 8>(g, columns);
    case 2: return all_columns<2, 4>(g, columns);
    case 3: return all_columns<3, 3>(g, columns);
    default: return all_columns<4, 2>(g, columns);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
