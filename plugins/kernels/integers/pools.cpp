// Largest numbers of windows, channels innermost, so that a compiler makes vectors of them.
#include <integer_kernels.hpp>

#include "../common/windows.hpp"

#include <limits>

namespace NNRUN_ISA_NAMESPACE {
namespace {

// A range is a row of y.
template <class Number, class Arguments>
void maxpool2d(const Arguments& a, int64_t range) {
  const nnrun_windows& w = a.windows;
  const int64_t n = range / w.output[0], row = range % w.output[0];
  const Slice rows = taps_inside(w, 0, row);
  for (int64_t column = 0; column < w.output[1]; ++column) {
    const Slice columns = taps_inside(w, 1, column);
    Number* y = a.y + (range * w.output[1] + column) * a.channels;
    for (int64_t c = 0; c < a.channels; ++c) y[c] = std::numeric_limits<Number>::min();
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
        const int64_t place_row = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
        const int64_t place_column = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
        const Number* x = a.x + ((n * w.input[0] + place_row) * w.input[1] + place_column) * a.channels;
        for (int64_t c = 0; c < a.channels; ++c) y[c] = x[c] > y[c] ? x[c] : y[c];
      }
    }
  }
}

}  // namespace

void maxpool2d_s32_work(const nnrun_maxpool2d_s32& a, nnrun_work& work) { one_phase(work, a.windows.batch * a.windows.output[0]); }
void maxpool2d_s32_run(const nnrun_maxpool2d_s32& a, void*, uint32_t, int64_t range) { maxpool2d<int32_t>(a, range); }

void maxpool2d_u8_work(const nnrun_maxpool2d_u8& a, nnrun_work& work) { one_phase(work, a.windows.batch * a.windows.output[0]); }
void maxpool2d_u8_run(const nnrun_maxpool2d_u8& a, void*, uint32_t, int64_t range) { maxpool2d<uint8_t>(a, range); }

}  // namespace NNRUN_ISA_NAMESPACE
