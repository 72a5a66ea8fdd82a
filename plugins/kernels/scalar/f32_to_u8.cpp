#include "kernels.hpp"

namespace nnrun_scalar {

void f32_to_u8_work(const nnrun_f32_to_u8& a, nnrun_work& work) { elementwise_work(a.count, work); }

void f32_to_u8_run(const nnrun_f32_to_u8& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) {
    const float y = a.x[i] * a.scale + a.offset;
    a.y[i] = y >= 255 ? 255 : y >= 0 ? static_cast<uint8_t>(y) : 0;  // NaN too
  }
}

}  // namespace nnrun_scalar
