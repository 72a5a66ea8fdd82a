#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

namespace {

void one_range(nnrun_work& work) {
  work.phases = 1;
  work.ranges[0] = 1;
  work.workspace = 0;
}

}  // namespace

void fma_peak_f32_work(const nnrun_fma_peak_f32&, nnrun_work& work) { one_range(work); }

void fma_peak_f32_run(const nnrun_fma_peak_f32& a, void*, uint32_t, int64_t) {
  // Enough independent chains to hide the latency of an FMA (4 cycles, 2 a cycle), few enough for 16 registers.
  constexpr int chains = 12;
  const Floats factor = all(0.999999f), term = all(1e-6f);
  Floats sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = all(static_cast<float>(i));
  for (int64_t repeat = 0; repeat < a.repeats; ++repeat) {
    for (int i = 0; i < chains; ++i) sums[i] = fma(sums[i], factor, term);
  }
  Floats total = zero();
  for (int i = 0; i < chains; ++i) total = add(total, sums[i]);
  *a.result = sum_of(total);
  *a.operations = static_cast<double>(a.repeats) * chains * lanes * 2;
}

void read_peak_f32_work(const nnrun_read_peak_f32&, nnrun_work& work) { one_range(work); }

void read_peak_f32_run(const nnrun_read_peak_f32& a, void*, uint32_t, int64_t) {
  constexpr int streams = 8;
  Floats sums[streams];
  for (int i = 0; i < streams; ++i) sums[i] = zero();
  int64_t at = 0;
  for (; at + streams * lanes <= a.count; at += streams * lanes) {
    for (int i = 0; i < streams; ++i) sums[i] = add(sums[i], load(a.x + at + i * lanes));
  }
  for (; at < a.count; at += lanes) sums[0] = add(sums[0], load(a.x + at, first(a.count - at < lanes ? a.count - at : lanes)));
  Floats total = zero();
  for (int i = 0; i < streams; ++i) total = add(total, sums[i]);
  *a.result = sum_of(total);
}

}  // namespace NNRUN_ISA_NAMESPACE
