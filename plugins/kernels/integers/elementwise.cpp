// What one loop says, and a compiler makes vectors of: each library compiles this with its own flags, in its own namespace.
#include <integer_kernels.hpp>

#include "../common/integers.hpp"

namespace NNRUN_ISA_NAMESPACE {

void relu_s32_work(const nnrun_relu_s32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void relu_s32_run(const nnrun_relu_s32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) a.y[i] = a.x[i] > 0 ? a.x[i] : 0;
}

void abs_s32_work(const nnrun_abs_s32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void abs_s32_run(const nnrun_abs_s32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) a.y[i] = a.x[i] < 0 ? wrapping_multiply(a.x[i], -1) : a.x[i];
}

void argmax_s32_work(const nnrun_argmax_s32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_per_range(a.columns))); }

void argmax_s32_run(const nnrun_argmax_s32& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_per_range(a.columns), range);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const int32_t* x = a.x + i * a.columns;
    int64_t largest = 0;
    for (int64_t j = 1; j < a.columns; ++j) {
      if (x[j] > x[largest]) largest = j;
    }
    a.y[i] = static_cast<int32_t>(largest);
  }
}

void dot_s32_work(const nnrun_dot_s32&, nnrun_work& work) { one_phase(work, 1); }

void dot_s32_run(const nnrun_dot_s32& a, void*, uint32_t, int64_t) {
  int32_t sum = 0;
  for (int64_t i = 0; i < a.count; ++i) sum = wrapping_add(sum, wrapping_multiply(a.a[i * a.stride_a], a.b[i * a.stride_b]));
  *a.y = sum;
}

void u8_to_s32_work(const nnrun_u8_to_s32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void u8_to_s32_run(const nnrun_u8_to_s32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) a.y[i] = wrapping_multiply(a.x[i], a.factor);
}

}  // namespace NNRUN_ISA_NAMESPACE
