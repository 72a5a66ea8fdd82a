#include "kernels.hpp"

namespace nnrun_scalar {
namespace {

constexpr int64_t block = 64;  // a block of op(B), 64 x 64 floats, is 16 KiB: it stays in the L1 cache
constexpr int64_t rows_in_range = 16;

// to[p][j] = op(B)[p0 + p][j0 + j], so that the inner loop runs over contiguous memory for both layouts of B.
void copy_block(const nnrun_gemm_f32& a, int64_t p0, int64_t j0, int64_t depth, int64_t width, float (*to)[block]) {
  for (int64_t p = 0; p < depth; ++p) {
    for (int64_t j = 0; j < width; ++j) to[p][j] = a.transpose_b ? a.b[(j0 + j) * a.ldb + p0 + p] : a.b[(p0 + p) * a.ldb + j0 + j];
  }
}

}  // namespace

void gemm_f32_work(const nnrun_gemm_f32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.m, rows_in_range)); }

void gemm_f32_run(const nnrun_gemm_f32& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.m, rows_in_range, range);
  float b[block][block];
  double sum[rows_in_range][block];
  for (int64_t j0 = 0; j0 < a.n; j0 += block) {
    const int64_t width = smaller(block, a.n - j0);
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = 0; j < width; ++j) sum[i - rows.begin][j] = a.accumulate ? a.c[i * a.ldc + j0 + j] : a.bias ? a.bias[j0 + j] : 0.0f;
    }
    for (int64_t p0 = 0; p0 < a.k; p0 += block) {
      const int64_t depth = smaller(block, a.k - p0);
      copy_block(a, p0, j0, depth, width, b);
      for (int64_t i = rows.begin; i < rows.end; ++i) {
        double* s = sum[i - rows.begin];
        for (int64_t p = 0; p < depth; ++p) {
          const double x = a.transpose_a ? a.a[(p0 + p) * a.lda + i] : a.a[i * a.lda + p0 + p];
          for (int64_t j = 0; j < width; ++j) s[j] += x * static_cast<double>(b[p][j]);
        }
      }
    }
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        const float s = static_cast<float>(sum[i - rows.begin][j]);
        a.c[i * a.ldc + j0 + j] = a.relu && s < 0 ? 0.0f : s;
      }
    }
  }
}

}  // namespace nnrun_scalar
