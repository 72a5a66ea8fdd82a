#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

void relu_f32_work(const nnrun_relu_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void relu_f32_run(const nnrun_relu_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  int64_t i = s.begin;
  for (; i + lanes <= s.end; i += lanes) store(a.y + i, maximum(zero(), load(a.x + i)));
  const Mask rest = first(s.end - i);
  store(a.y + i, maximum(zero(), load(a.x + i, rest)), rest);
}

void relu_backward_f32_work(const nnrun_relu_backward_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void relu_backward_f32_run(const nnrun_relu_backward_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  int64_t i = s.begin;
  for (; i + lanes <= s.end; i += lanes) store(a.dx + i, where_positive(load(a.y + i), load(a.dy + i)));
  const Mask rest = first(s.end - i);
  store(a.dx + i, where_positive(load(a.y + i, rest), load(a.dy + i, rest)), rest);
}

}  // namespace NNRUN_ISA_NAMESPACE
