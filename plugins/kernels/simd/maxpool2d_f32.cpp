#include "lattice.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// Rows of y, of dx, in a range.
int64_t forward_rows(const nnrun_maxpool2d_forward_f32& a) {
  return rows_per_range(a.windows.output[1] * a.windows.kernel[0] * a.windows.kernel[1] * a.channels);
}
int64_t backward_rows(const nnrun_maxpool2d_backward_f32& a) { return rows_per_range(a.windows.input[1] * a.channels); }

}  // namespace

void maxpool2d_forward_f32_work(const nnrun_maxpool2d_forward_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.windows.batch * a.windows.output[0], forward_rows(a)));
}

void maxpool2d_forward_f32_run(const nnrun_maxpool2d_forward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  const Slice all_rows = slice_of(w.batch * w.output[0], forward_rows(a), range);
  for (int64_t r = all_rows.begin; r < all_rows.end; ++r) {
    const int64_t n = r / w.output[0], row = r % w.output[0];
    const Slice rows = taps_inside(w, 0, row);
    for (int64_t column = 0; column < w.output[1]; ++column) {
      const Slice columns = taps_inside(w, 1, column);
      const int64_t to = (r * w.output[1] + column) * a.channels;
      for_each_strip({0, a.channels}, [&](auto vectors, int64_t c, Mask last) {
        const auto x_at = [&](int64_t ky, int64_t kx, auto j) __attribute__((always_inline)) {
          const int64_t x_row = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
          const int64_t x_column = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
          const float* x = a.x + ((n * w.input[0] + x_row) * w.input[1] + x_column) * a.channels + c + j * lanes;
          return j == vectors - 1 ? load(x, last) : load(x);
        };
        Floats best[vectors], argmax[vectors];
        repeat<vectors>([&](auto j) __attribute__((always_inline)) {
          best[j] = x_at(rows.begin, columns.begin, j);
          argmax[j] = all(static_cast<float>(rows.begin * w.kernel[1] + columns.begin));
        });
        for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
          for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
            const Floats tap = all(static_cast<float>(ky * w.kernel[1] + kx));
            repeat<vectors>([&](auto j) __attribute__((always_inline)) {
              const Floats x = x_at(ky, kx, j);
              const Mask larger_here = greater_or_nan(x, best[j]);
              best[j] = select(larger_here, x, best[j]);
              argmax[j] = select(larger_here, tap, argmax[j]);
            });
          }
        }
        repeat<vectors>([&](auto j) __attribute__((always_inline)) {
          const int64_t at = to + c + j * lanes;
          store(a.y + at, best[j], j == vectors - 1 ? last : first(lanes));
          if (a.argmax) to_bytes(a.argmax + at, argmax[j], smaller(lanes, a.channels - c - j * lanes));
        });
      });
    }
  }
}

void maxpool2d_backward_f32_work(const nnrun_maxpool2d_backward_f32& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.windows.batch * a.windows.input[0], backward_rows(a)));
}

void maxpool2d_backward_f32_run(const nnrun_maxpool2d_backward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  const Slice all_rows = slice_of(w.batch * w.input[0], backward_rows(a), range);
  for (int64_t r = all_rows.begin; r < all_rows.end; ++r) {
    const int64_t n = r / w.input[0], row = r % w.input[0];
    // The taps of the windows that hold this row, and column: from the last, so that the windows ascend.
    const Lattice y = backward_lattice(w, 0, row % w.stride[0]);
    for (int64_t remainder = 0; remainder < w.stride[1]; ++remainder) {
      const Lattice x = backward_lattice(w, 1, remainder);
      for (int64_t i = 0; i < x.count; ++i) {
        float* dx = a.dx + (r * w.input[1] + x.to + i * x.to_step) * a.channels;
        for (int64_t c = 0; c < a.channels; c += lanes) {
          const int64_t count = smaller(lanes, a.channels - c);
          const Mask m = first(count);
          Floats sum = zero();
          for (int64_t ty = 0; ty < y.taps; ++ty) {
            const int64_t window_row = row / w.stride[0] + y.from + ty * y.tap_step;
            if (window_row < 0 || window_row >= w.output[0]) continue;
            const int64_t ky = w.kernel[0] - 1 - y.first_tap - ty * y.tap_stride;
            for (int64_t tx = 0; tx < x.taps; ++tx) {
              const int64_t window_column = i + x.from + tx * x.tap_step;
              if (window_column < 0 || window_column >= w.output[1]) continue;
              const int64_t kx = w.kernel[1] - 1 - x.first_tap - tx * x.tap_stride;
              const int64_t at = ((n * w.output[0] + window_row) * w.output[1] + window_column) * a.channels + c;
              sum = add(sum, where_equal(from_bytes(a.argmax + at, count), static_cast<float>(ky * w.kernel[1] + kx), load(a.dy + at, m)));
            }
          }
          store(dx + c, sum, m);
        }
      }
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
