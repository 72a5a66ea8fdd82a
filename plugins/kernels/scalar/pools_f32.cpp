#include "../common/windows.hpp"
#include "kernels.hpp"

#include <cmath>

namespace nnrun_scalar {
namespace {

// body(ky, kx, offset in x) for the places of a window that lie in x, rows first.
template <class Body>
void for_each_place(const nnrun_windows& w, int64_t channels, int64_t n, int64_t row, int64_t column, Body body) {
  const Slice rows = taps_inside(w, 0, row), columns = taps_inside(w, 1, column);
  for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
    const int64_t y = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
    for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
      const int64_t x = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
      body(ky, kx, ((n * w.input[0] + y) * w.input[1] + x) * channels);
    }
  }
}

// body(ky, kx, offset in y) for the windows that hold a place of x.
template <class Body>
void for_each_window(const nnrun_windows& w, int64_t channels, int64_t n, int64_t row, int64_t column, Body body) {
  for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
    const int64_t window_row = window_at(w, 0, row, ky);
    if (window_row < 0) continue;
    for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
      const int64_t window_column = window_at(w, 1, column, kx);
      if (window_column < 0) continue;
      body(ky, kx, ((n * w.output[0] + window_row) * w.output[1] + window_column) * channels);
    }
  }
}

}  // namespace

// A range is a row of y, or of dx.
void maxpool2d_forward_f32_work(const nnrun_maxpool2d_forward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}

void maxpool2d_forward_f32_run(const nnrun_maxpool2d_forward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  for (int64_t column = 0; column < w.output[1]; ++column) {
    const int64_t to = (range * w.output[1] + column) * a.channels;
    for (int64_t c = 0; c < a.channels; ++c) {
      bool any = false;
      float best = 0;
      int64_t argmax = 0;
      for_each_place(w, a.channels, range / w.output[0], range % w.output[0], column, [&](int64_t ky, int64_t kx, int64_t offset) {
        const float x = a.x[offset + c];
        if (any && !(x > best) && !std::isnan(x)) return;
        any = true;
        best = x;
        argmax = ky * w.kernel[1] + kx;
      });
      a.y[to + c] = best;
      if (a.argmax) a.argmax[to + c] = static_cast<uint8_t>(argmax);
    }
  }
}

void maxpool2d_backward_f32_work(const nnrun_maxpool2d_backward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.input[0]);
}

void maxpool2d_backward_f32_run(const nnrun_maxpool2d_backward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  for (int64_t column = 0; column < w.input[1]; ++column) {
    float* dx = a.dx + (range * w.input[1] + column) * a.channels;
    for (int64_t c = 0; c < a.channels; ++c) {
      double sum = 0;
      for_each_window(w, a.channels, range / w.input[0], range % w.input[0], column, [&](int64_t ky, int64_t kx, int64_t offset) {
        if (a.argmax[offset + c] == ky * w.kernel[1] + kx) sum += static_cast<double>(a.dy[offset + c]);
      });
      dx[c] = static_cast<float>(sum);
    }
  }
}

void avgpool2d_forward_f32_work(const nnrun_avgpool2d_forward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}

void avgpool2d_forward_f32_run(const nnrun_avgpool2d_forward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  for (int64_t column = 0; column < w.output[1]; ++column) {
    float* y = a.y + (range * w.output[1] + column) * a.channels;
    for (int64_t c = 0; c < a.channels; ++c) {
      double sum = 0, places = 0;
      for_each_place(w, a.channels, range / w.output[0], range % w.output[0], column, [&](int64_t, int64_t, int64_t offset) {
        sum += static_cast<double>(a.x[offset + c]);
        ++places;
      });
      y[c] = static_cast<float>(sum / places);
    }
  }
}

void avgpool2d_backward_f32_work(const nnrun_avgpool2d_backward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.input[0]);
}

void avgpool2d_backward_f32_run(const nnrun_avgpool2d_backward_f32& a, void*, uint32_t, int64_t range) {
  const nnrun_windows& w = a.windows;
  for (int64_t column = 0; column < w.input[1]; ++column) {
    float* dx = a.dx + (range * w.input[1] + column) * a.channels;
    for (int64_t c = 0; c < a.channels; ++c) {
      double sum = 0;
      for_each_window(w, a.channels, range / w.input[0], range % w.input[0], column, [&](int64_t, int64_t, int64_t offset) {
        const int64_t window = offset / a.channels;
        const int64_t rows = taps_inside(w, 0, window / w.output[1] % w.output[0]).size();
        const int64_t columns = taps_inside(w, 1, window % w.output[1]).size();
        sum += static_cast<double>(a.dy[offset + c]) / static_cast<double>(rows * columns);
      });
      dx[c] = static_cast<float>(sum);
    }
  }
}

}  // namespace nnrun_scalar
