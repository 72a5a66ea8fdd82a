#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

void u8_to_f32_work(const nnrun_u8_to_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void u8_to_f32_run(const nnrun_u8_to_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  const Floats scale = all(a.scale), offset = all(a.offset);
  int64_t i = s.begin;
  for (; i + lanes <= s.end; i += lanes) store(a.y + i, add(multiply(from_bytes(a.x + i), scale), offset));
  for (; i < s.end; ++i) a.y[i] = static_cast<float>(a.x[i]) * a.scale + a.offset;
}

}  // namespace NNRUN_ISA_NAMESPACE
