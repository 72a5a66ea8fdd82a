#include "kernels.hpp"

namespace nnrun_scalar {

namespace {

void one_range(nnrun_work& work) {
  work.phases = 1;
  work.ranges[0] = 1;
  work.workspace = 0;
}

}  // namespace

void fma_peak_f32_work(const nnrun_fma_peak_f32&, nnrun_work& work) { one_range(work); }

void fma_peak_f32_run(const nnrun_fma_peak_f32& a, void*, uint32_t, int64_t) {
  constexpr int chains = 8;
  float sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = static_cast<float>(i);
  for (int64_t repeat = 0; repeat < a.repeats; ++repeat) {
    for (int i = 0; i < chains; ++i) sums[i] = sums[i] * 0.999999f + 1e-6f;
  }
  *a.result = 0;
  for (int i = 0; i < chains; ++i) *a.result += sums[i];
  *a.operations = static_cast<double>(a.repeats) * chains * 2;
}

void read_peak_f32_work(const nnrun_read_peak_f32&, nnrun_work& work) { one_range(work); }

void read_peak_f32_run(const nnrun_read_peak_f32& a, void*, uint32_t, int64_t) {
  constexpr int64_t streams = 8;
  float sums[streams] = {};
  int64_t at = 0;
  for (; at + streams <= a.count; at += streams) {
    for (int64_t i = 0; i < streams; ++i) sums[i] += a.x[at + i];
  }
  for (; at < a.count; ++at) sums[0] += a.x[at];
  *a.result = 0;
  for (int64_t i = 0; i < streams; ++i) *a.result += sums[i];
}

}  // namespace nnrun_scalar
