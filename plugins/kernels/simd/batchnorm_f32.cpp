#include "batchnorm_rows.hpp"

namespace NNRUN_ISA_NAMESPACE {

namespace {

template <bool relu>
void normalize(const nnrun_batchnorm_f32& a, Slice rows, Slice columns) {
  for_each_wide_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    Normal<vectors> normal(a.mean, a.gamma, a.beta, j, last);
    normal.multiply_by_inverse_of(a.variance, a.epsilon, j, last);
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      repeat<vectors>([&](auto v) {
        const int64_t at = i * a.columns + j;
        const Floats y = normal.of(load_of<vectors>(a.x + at, v, last), v);
        store_of<vectors>(a.y + at, v, relu ? maximum(zero(), y) : y, last);
      });
    }
  });
}

void normalize(const nnrun_batchnorm_f32& a, Slice rows, Slice columns) {
  a.relu ? normalize<true>(a, rows, columns) : normalize<false>(a, rows, columns);
}

}  // namespace

void batchnorm_f32_work(const nnrun_batchnorm_f32& a, nnrun_work& work) {
  const RowBlocks blocks = blocks_of_rows(a.rows, a.columns);
  if (a.training) {
    three_phases(blocks, a.columns, work);
  } else {
    one_phase(work, blocks.count());
  }
}

void batchnorm_f32_run(const nnrun_batchnorm_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const RowBlocks blocks = blocks_of_rows(a.rows, a.columns);
  const Slice every_row = {0, a.rows}, every_column = {0, a.columns}, block = blocks.rows(range);
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  const BatchnormStatistics to = {a.mean, a.variance, a.inverse, a.epsilon};
  float* partial = static_cast<float*>(workspace);
  if (!a.training || phase == 2) {
    normalize(a, block, every_column);
  } else if (blocks.count() == 1) {
    batchnorm_statistics(a.x, a.columns, every_row, columns, a.mean, a.variance);
    batchnorm_combine(blocks, a.columns, columns, a.mean, a.variance, to);
    normalize(a, every_row, columns);
  } else if (phase == 0) {
    batchnorm_statistics(a.x, a.columns, block, every_column, partial + 2 * range * a.columns, partial + (2 * range + 1) * a.columns);
  } else {
    batchnorm_combine(blocks, a.columns, columns, partial, partial + a.columns, to);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
