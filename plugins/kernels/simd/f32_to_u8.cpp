#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

void f32_to_u8_work(const nnrun_f32_to_u8& a, nnrun_work& work) { elementwise_work(a.count, work); }

void f32_to_u8_run(const nnrun_f32_to_u8& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  // maximum() gives its second argument where the first is NaN.
  const auto bytes = [&](Floats x) {
    return round_down(minimum(maximum(add(multiply(x, all(a.scale)), all(a.offset)), zero()), all(255)));
  };
  int64_t i = s.begin;
  for (; i + lanes <= s.end; i += lanes) to_bytes(a.y + i, bytes(load(a.x + i)), lanes);
  if (i < s.end) to_bytes(a.y + i, bytes(load(a.x + i, first(s.end - i))), s.end - i);
}

}  // namespace NNRUN_ISA_NAMESPACE
