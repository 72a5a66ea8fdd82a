#include "kernels.hpp"

namespace nnrun_scalar {

void relu_f32_work(const nnrun_relu_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void relu_f32_run(const nnrun_relu_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) a.y[i] = a.x[i] < 0 ? 0.0f : a.x[i];  // NaN and -0 stay what they are
}

void relu_backward_f32_work(const nnrun_relu_backward_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void relu_backward_f32_run(const nnrun_relu_backward_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) a.dx[i] = a.y[i] > 0 ? a.dy[i] : 0.0f;
}

}  // namespace nnrun_scalar
