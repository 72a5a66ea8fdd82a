#include "../common/windows.hpp"
#include "kernels.hpp"

#include <cmath>

namespace nnrun_scalar {
namespace {

constexpr int64_t block = 64;  // of channels, summed up side by side

template <class Arguments>
struct Sizes {
  explicit Sizes(const Arguments& a)
      : w(a.windows),
        group_channels(a.channels / a.groups),
        group_filters(a.filters / a.groups),
        channels(a.channels),
        filters(a.filters) {}

  int64_t x(int64_t n, int64_t row, int64_t column) const { return ((n * w.input[0] + row) * w.input[1] + column) * channels; }
  int64_t y(int64_t n, int64_t row, int64_t column) const { return ((n * w.output[0] + row) * w.output[1] + column) * filters; }
  int64_t weight(int64_t filter, int64_t ky, int64_t kx) const { return ((filter * w.kernel[0] + ky) * w.kernel[1] + kx) * group_channels; }
  int64_t place(int axis, int64_t window, int64_t t) const { return window * w.stride[axis] - w.padding[axis] + t * w.dilation[axis]; }

  const nnrun_windows& w;
  int64_t group_channels, group_filters, channels, filters;
};

// One number of the convolution's result, bias included.
template <class Arguments>
float result_at(const Arguments& a, const Sizes<Arguments>& s, int64_t n, int64_t row, int64_t column, int64_t f) {
  const Slice rows = taps_inside(a.windows, 0, row), columns = taps_inside(a.windows, 1, column);
  const int64_t first_channel = f / s.group_filters * s.group_channels;
  double sum = a.bias ? static_cast<double>(a.bias[f]) : 0;
  for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
      const float* x = a.x + s.x(n, s.place(0, row, ky), s.place(1, column, kx)) + first_channel;
      const float* weights = a.weights + s.weight(f, ky, kx);
      for (int64_t c = 0; c < s.group_channels; ++c) sum += static_cast<double>(x[c]) * static_cast<double>(weights[c]);
    }
  }
  return static_cast<float>(sum);
}

// The gradient of the convolution's own result.
template <class Arguments>
double gradient_at(const Arguments& a, const Sizes<Arguments>& s, int64_t n, int64_t row, int64_t column, int64_t f) {
  if constexpr (requires { a.argmax; }) {
    const int64_t height = a.windows.output[0] / 2, width = a.windows.output[1] / 2;
    if (row / 2 >= height || column / 2 >= width) return 0;
    const int64_t at = ((n * height + row / 2) * width + column / 2) * a.filters + f;
    return a.argmax[at] == row % 2 * 2 + column % 2 ? static_cast<double>(a.dy[at]) : 0;
  } else {
    return static_cast<double>(a.dy[s.y(n, row, column) + f]);
  }
}

// A row of dx.
template <class Arguments>
void backward_data(const Arguments& a, int64_t range) {
  const Sizes s(a);
  const nnrun_windows& w = a.windows;
  const int64_t n = range / w.input[0], row = range % w.input[0];
  for (int64_t column = 0; column < w.input[1]; ++column) {
    for (int64_t g = 0; g < a.groups; ++g) {
      for (int64_t c0 = 0; c0 < s.group_channels; c0 += block) {
        const int64_t width = smaller(block, s.group_channels - c0);
        double sum[block] = {};
        for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
          const int64_t window_row = window_at(w, 0, row, ky);
          if (window_row < 0) continue;
          for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
            const int64_t window_column = window_at(w, 1, column, kx);
            if (window_column < 0) continue;
            for (int64_t f = g * s.group_filters; f < (g + 1) * s.group_filters; ++f) {
              const double dy = gradient_at(a, s, n, window_row, window_column, f);
              const float* weights = a.weights + s.weight(f, ky, kx) + c0;
              for (int64_t c = 0; c < width; ++c) sum[c] += dy * static_cast<double>(weights[c]);
            }
          }
        }
        float* dx = a.dx + s.x(n, row, column) + g * s.group_channels + c0;
        for (int64_t c = 0; c < width; ++c) dx[c] = static_cast<float>(sum[c]);
      }
    }
  }
}

// One filter's.
template <class Arguments>
void backward_weights(const Arguments& a, int64_t f) {
  const Sizes s(a);
  const nnrun_windows& w = a.windows;
  const int64_t first_channel = f / s.group_filters * s.group_channels;
  for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
    const Slice rows = windows_inside(w, 0, ky);
    for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
      const Slice columns = windows_inside(w, 1, kx);
      for (int64_t c0 = 0; c0 < s.group_channels; c0 += block) {
        const int64_t width = smaller(block, s.group_channels - c0);
        double sum[block] = {};
        for (int64_t n = 0; n < w.batch; ++n) {
          for (int64_t row = rows.begin; row < rows.end; ++row) {
            for (int64_t column = columns.begin; column < columns.end; ++column) {
              const double dy = gradient_at(a, s, n, row, column, f);
              const float* x = a.x + s.x(n, s.place(0, row, ky), s.place(1, column, kx)) + first_channel + c0;
              for (int64_t c = 0; c < width; ++c) sum[c] += dy * static_cast<double>(x[c]);
            }
          }
        }
        float* to = a.dweights + s.weight(f, ky, kx) + c0;
        for (int64_t c = 0; c < width; ++c) to[c] = static_cast<float>(sum[c]);
      }
    }
  }
  if (!a.dbias) return;
  double sum = 0;
  for (int64_t n = 0; n < w.batch; ++n) {
    for (int64_t row = 0; row < w.output[0]; ++row) {
      for (int64_t column = 0; column < w.output[1]; ++column) sum += gradient_at(a, s, n, row, column, f);
    }
  }
  a.dbias[f] = static_cast<float>(sum);
}

}  // namespace

// A range is a row of y.
void conv2d_forward_f32_work(const nnrun_conv2d_forward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}

void conv2d_forward_f32_run(const nnrun_conv2d_forward_f32& a, void*, uint32_t, int64_t range) {
  const Sizes s(a);
  const int64_t n = range / a.windows.output[0], row = range % a.windows.output[0];
  for (int64_t column = 0; column < a.windows.output[1]; ++column) {
    for (int64_t f = 0; f < a.filters; ++f) {
      const float y = result_at(a, s, n, row, column, f);
      a.y[s.y(n, row, column) + f] = a.relu && y < 0 ? 0.0f : y;
    }
  }
}

// A range is a row of y.
void conv2d_maxpool_forward_f32_work(const nnrun_conv2d_maxpool_forward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * (a.windows.output[0] / 2));
}

void conv2d_maxpool_forward_f32_run(const nnrun_conv2d_maxpool_forward_f32& a, void*, uint32_t, int64_t range) {
  const Sizes s(a);
  const int64_t height = a.windows.output[0] / 2, width = a.windows.output[1] / 2;
  const int64_t n = range / height, row = range % height;
  for (int64_t column = 0; column < width; ++column) {
    for (int64_t f = 0; f < a.filters; ++f) {
      float best = result_at(a, s, n, 2 * row, 2 * column, f);
      uint8_t argmax = 0;
      for (uint8_t place = 1; place < 4; ++place) {
        const float y = result_at(a, s, n, 2 * row + place / 2, 2 * column + place % 2, f);
        if (!(y > best) && !std::isnan(y)) continue;
        best = y;
        argmax = place;
      }
      if (a.relu && !(best > 0)) argmax = 4;
      const int64_t to = (range * width + column) * a.filters + f;
      a.y[to] = a.relu && best < 0 ? 0.0f : best;
      if (a.argmax) a.argmax[to] = argmax;
    }
  }
}

#define NNRUN_SCALAR_GRADIENTS(data, weights)                                                                         \
  void data##_work(const nnrun_##data& a, nnrun_work& work) { one_phase(work, a.windows.batch* a.windows.input[0]); } \
  void data##_run(const nnrun_##data& a, void*, uint32_t, int64_t range) { backward_data(a, range); }                 \
  void weights##_work(const nnrun_##weights& a, nnrun_work& work) { one_phase(work, a.filters); }                     \
  void weights##_run(const nnrun_##weights& a, void*, uint32_t, int64_t range) { backward_weights(a, range); }

NNRUN_SCALAR_GRADIENTS(conv2d_backward_data_f32, conv2d_backward_weights_f32)
NNRUN_SCALAR_GRADIENTS(conv2d_maxpool_backward_data_f32, conv2d_maxpool_backward_weights_f32)

}  // namespace nnrun_scalar
