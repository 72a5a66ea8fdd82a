#include "kernels.hpp"

namespace nnrun_scalar {

void u8_to_f32_work(const nnrun_u8_to_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void u8_to_f32_run(const nnrun_u8_to_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  for (int64_t i = s.begin; i < s.end; ++i) a.y[i] = static_cast<float>(a.x[i]) * a.scale + a.offset;
}

}  // namespace nnrun_scalar
