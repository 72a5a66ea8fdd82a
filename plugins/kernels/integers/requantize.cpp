// What one loop says, and a compiler makes vectors of: each library compiles this with its own flags, in its own namespace.
#include <integer_kernels.hpp>

#include "../common/integers.hpp"

namespace NNRUN_ISA_NAMESPACE {

void requantize_work(const nnrun_requantize& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_per_range(a.columns))); }

namespace {

inline uint8_t requantized(int32_t x, int32_t multiplier, int32_t shift) {
  const int64_t scaled = int64_t{x} * multiplier >> shift;
  return static_cast<uint8_t>(scaled < 0 ? 0 : scaled > 255 ? 255 : scaled);
}

}  // namespace

void requantize_run(const nnrun_requantize& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_per_range(a.columns), range);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const int32_t* x = a.x + i * a.columns;
    uint8_t* __restrict y = a.y + i * a.columns;
    if (a.per_column) {
      for (int64_t j = 0; j < a.columns; ++j) y[j] = requantized(x[j], a.multiplier[j], a.shift[j]);
    } else {
      const int32_t multiplier = *a.multiplier, shift = *a.shift;
      for (int64_t j = 0; j < a.columns; ++j) y[j] = requantized(x[j], multiplier, shift);
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
