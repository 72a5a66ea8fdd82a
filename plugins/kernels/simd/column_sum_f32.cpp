#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// Long columns are summed in blocks of rows, each with its own partial sum: that cuts tall matrices into many ranges, and
// keeps rounding errors small. The partial sums, (blocks, columns), lie in the workspace and are added in order.
constexpr int64_t block_rows = 512;
constexpr int64_t strip = 4 * lanes;  // columns summed together

int64_t blocks_of(const nnrun_column_sum_f32& a) { return ceil_divide(a.rows, block_rows); }

// Columns in a range: whole strips, about elements_per_range elements.
int64_t columns_in_range(int64_t rows) { return strip * larger(1, elements_per_range / (strip * rows)); }

// to[j] = sum over rows of x[i][j], for j in columns.
void sum_columns(const float* x, int64_t ldx, int64_t rows, Slice columns, float* to) {
  int64_t j = columns.begin;
  for (; j + strip <= columns.end; j += strip) {
    Floats s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
    for (int64_t i = 0; i < rows; ++i) {
      const float* row = x + i * ldx + j;
      s0 = add(s0, load(row));
      s1 = add(s1, load(row + lanes));
      s2 = add(s2, load(row + 2 * lanes));
      s3 = add(s3, load(row + 3 * lanes));
    }
    store(to + j, s0);
    store(to + j + lanes, s1);
    store(to + j + 2 * lanes, s2);
    store(to + j + 3 * lanes, s3);
  }
  for (; j < columns.end; j += lanes) {
    const Mask m = first(smaller(lanes, columns.end - j));
    Floats s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();  // four chains, or the addition's latency would set the pace
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      s0 = add(s0, load(x + i * ldx + j, m));
      s1 = add(s1, load(x + (i + 1) * ldx + j, m));
      s2 = add(s2, load(x + (i + 2) * ldx + j, m));
      s3 = add(s3, load(x + (i + 3) * ldx + j, m));
    }
    for (; i < rows; ++i) s0 = add(s0, load(x + i * ldx + j, m));
    store(to + j, add(add(s0, s1), add(s2, s3)), m);
  }
}

}  // namespace

void column_sum_f32_work(const nnrun_column_sum_f32& a, nnrun_work& work) {
  const int64_t blocks = blocks_of(a);
  const int64_t strips = ceil_divide(a.columns, columns_in_range(smaller(a.rows, block_rows)));
  one_phase(work, blocks * strips);
  if (blocks == 1) return;
  work.phases = 2;
  work.ranges[1] = ceil_divide(a.columns, columns_in_range(blocks));
  work.workspace = static_cast<size_t>(blocks * a.columns) * sizeof(float);
}

void column_sum_f32_run(const nnrun_column_sum_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const int64_t blocks = blocks_of(a);
  float* partial = static_cast<float*>(workspace);
  if (phase == 1) {
    sum_columns(partial, a.columns, blocks, slice_of(a.columns, columns_in_range(blocks), range), a.sum);
    return;
  }
  const int64_t width = columns_in_range(smaller(a.rows, block_rows));
  const int64_t strips = ceil_divide(a.columns, width);
  const int64_t block = range / strips;
  const Slice rows = slice_of(a.rows, block_rows, block);
  sum_columns(a.x + rows.begin * a.ldx, a.ldx, rows.size(), slice_of(a.columns, width, range % strips),
              blocks == 1 ? a.sum : partial + block * a.columns);
}

}  // namespace NNRUN_ISA_NAMESPACE
