#include "../common/windows.hpp"
#include "kernels.hpp"

#include <limits>

namespace nnrun_scalar {
namespace {

// A range is a row of y.
template <class Number, class Arguments>
void maxpool2d(const Arguments& a, int64_t range) {
  const nnrun_windows& w = a.windows;
  const int64_t n = range / w.output[0], row = range % w.output[0];
  const Slice rows = taps_inside(w, 0, row);
  for (int64_t column = 0; column < w.output[1]; ++column) {
    const Slice columns = taps_inside(w, 1, column);
    for (int64_t c = 0; c < a.channels; ++c) {
      Number largest = std::numeric_limits<Number>::min();
      for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
        for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
          const int64_t y = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
          const int64_t x = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
          const Number value = a.x[((n * w.input[0] + y) * w.input[1] + x) * a.channels + c];
          if (value > largest) largest = value;
        }
      }
      a.y[(range * w.output[1] + column) * a.channels + c] = largest;
    }
  }
}

}  // namespace

void maxpool2d_s32_work(const nnrun_maxpool2d_s32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}
void maxpool2d_s32_run(const nnrun_maxpool2d_s32& a, void*, uint32_t, int64_t range) { maxpool2d<int32_t>(a, range); }

void maxpool2d_u8_work(const nnrun_maxpool2d_u8& a, nnrun_work& work) { one_phase(work, a.windows.batch * a.windows.output[0]); }
void maxpool2d_u8_run(const nnrun_maxpool2d_u8& a, void*, uint32_t, int64_t range) { maxpool2d<uint8_t>(a, range); }

}  // namespace nnrun_scalar
