#include "../common/windows.hpp"
#include "kernels.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// Rows of y, of dx, in a range.
int64_t forward_rows(const nnrun_avgpool2d_forward_f32& a) {
  return rows_per_range(a.windows.output[1] * a.windows.kernel[0] * a.windows.kernel[1] * a.channels);
}
int64_t backward_rows(const nnrun_avgpool2d_backward_f32& a) { return rows_per_range(a.windows.input[1] * a.channels); }

}  // namespace

void avgpool2d_forward_f32_work(const nnrun_avgpool2d_forward_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.windows.batch * a.windows.output[0], forward_rows(a)));
}

void avgpool2d_forward_f32_run(const nnrun_avgpool2d_forward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  const Slice all_rows = slice_of(w.batch * w.output[0], forward_rows(a), range);
  for (int64_t r = all_rows.begin; r < all_rows.end; ++r) {
    const int64_t n = r / w.output[0], row = r % w.output[0];
    const Slice rows = taps_inside(w, 0, row);
    for (int64_t column = 0; column < w.output[1]; ++column) {
      const Slice columns = taps_inside(w, 1, column);
      const Floats count = all(static_cast<float>(rows.size() * columns.size()));
      float* y = a.y + (r * w.output[1] + column) * a.channels;
      for_each_strip({0, a.channels}, [&](auto vectors, int64_t c, Mask last) {
        Floats sum[vectors];
        repeat<vectors>([&](auto j) { sum[j] = zero(); });
        for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
          const int64_t x_row = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
          for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
            const int64_t x_column = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
            const float* x = a.x + ((n * w.input[0] + x_row) * w.input[1] + x_column) * a.channels + c;
            repeat<vectors>([&](auto j) { sum[j] = add(sum[j], j == vectors - 1 ? load(x + j * lanes, last) : load(x + j * lanes)); });
          }
        }
        repeat<vectors>([&](auto j) { store(y + c + j * lanes, divide(sum[j], count), j == vectors - 1 ? last : first(lanes)); });
      });
    }
  }
}

void avgpool2d_backward_f32_work(const nnrun_avgpool2d_backward_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.windows.batch * a.windows.input[0], backward_rows(a)));
}

void avgpool2d_backward_f32_run(const nnrun_avgpool2d_backward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  const Slice all_rows = slice_of(w.batch * w.input[0], backward_rows(a), range);
  for (int64_t r = all_rows.begin; r < all_rows.end; ++r) {
    const int64_t n = r / w.input[0], row = r % w.input[0];
    for (int64_t column = 0; column < w.input[1]; ++column) {
      float* dx = a.dx + (r * w.input[1] + column) * a.channels;
      for_each_strip({0, a.channels}, [&](auto vectors, int64_t c, Mask last) {
        Floats sum[vectors];
        repeat<vectors>([&](auto j) { sum[j] = zero(); });
        for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
          const int64_t y_row = window_at(w, 0, row, ky);
          if (y_row < 0) continue;
          const int64_t rows = taps_inside(w, 0, y_row).size();
          for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
            const int64_t y_column = window_at(w, 1, column, kx);
            if (y_column < 0) continue;
            const Floats count = all(static_cast<float>(rows * taps_inside(w, 1, y_column).size()));
            const float* dy = a.dy + ((n * w.output[0] + y_row) * w.output[1] + y_column) * a.channels + c;
            repeat<vectors>(
                [&](auto j) { sum[j] = add(sum[j], divide(j == vectors - 1 ? load(dy + j * lanes, last) : load(dy + j * lanes), count)); });
          }
        }
        repeat<vectors>([&](auto j) { store(dx + c + j * lanes, sum[j], j == vectors - 1 ? last : first(lanes)); });
      });
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
