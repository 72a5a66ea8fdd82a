#include "kernels.hpp"

namespace nnrun_scalar {
namespace {

constexpr int64_t columns_in_range = 64;

}  // namespace

void column_sum_f32_work(const nnrun_column_sum_f32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.columns, columns_in_range)); }

void column_sum_f32_run(const nnrun_column_sum_f32& a, void*, uint32_t, int64_t range) {
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  double sum[columns_in_range] = {};
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < columns.size(); ++j) sum[j] += static_cast<double>(a.x[i * a.ldx + columns.begin + j]);
  }
  for (int64_t j = 0; j < columns.size(); ++j) a.sum[columns.begin + j] = static_cast<float>(sum[j]);
}

}  // namespace nnrun_scalar
