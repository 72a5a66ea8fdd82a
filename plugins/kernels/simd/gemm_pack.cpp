#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {

void pack_transposed(const float* from, int64_t from_stride, int64_t columns, int64_t depth, float* to, int64_t to_stride) {
  for (int64_t p = 0; p < depth; p += lanes) {
    const int64_t here = smaller(lanes, depth - p);
    const Mask m = first(here);
    for (int64_t j = 0; j < columns; j += lanes) {
      const int64_t filled = smaller(lanes, columns - j);
      Floats x[lanes];
      if (filled == lanes && here == lanes) {
        for (int64_t i = 0; i < lanes; ++i) x[i] = load(from + (j + i) * from_stride + p);
      } else {
        for (int64_t i = 0; i < lanes; ++i) x[i] = i < filled ? load(from + (j + i) * from_stride + p, m) : zero();
      }
      transpose(x);
      for (int64_t i = 0; i < here; ++i) store(to + (p + i) * to_stride + j, x[i]);
    }
  }
}

void pack_rows(const float* from, int64_t from_stride, int64_t columns, int64_t depth, float* to, int64_t to_stride) {
  const int64_t whole = columns / lanes * lanes;
  const Mask rest = first(columns - whole);
  for (int64_t p = 0; p < depth; ++p) {
    const float* f = from + p * from_stride;
    float* t = to + p * to_stride;
    for (int64_t j = 0; j < whole; j += lanes) store(t + j, load(f + j));
    if (whole < columns) store(t + whole, load(f + whole, rest));
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
