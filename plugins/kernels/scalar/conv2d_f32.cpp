#include "../common/windows.hpp"
#include "kernels.hpp"

namespace nnrun_scalar {
namespace {

constexpr int64_t block = 64;  // of channels, summed up side by side

template <class Arguments>
struct Sizes {
  explicit Sizes(const Arguments& a)
      : w(a.windows), group_channels(a.channels / a.groups), group_filters(a.filters / a.groups), channels(a.channels), filters(a.filters) {}

  int64_t x(int64_t n, int64_t row, int64_t column) const { return ((n * w.input[0] + row) * w.input[1] + column) * channels; }
  int64_t y(int64_t n, int64_t row, int64_t column) const { return ((n * w.output[0] + row) * w.output[1] + column) * filters; }
  int64_t weight(int64_t filter, int64_t ky, int64_t kx) const {
    return ((filter * w.kernel[0] + ky) * w.kernel[1] + kx) * group_channels;
  }
  int64_t place(int axis, int64_t window, int64_t t) const {
    return window * w.stride[axis] - w.padding[axis] + t * w.dilation[axis];
  }

  const nnrun_windows& w;
  int64_t group_channels, group_filters, channels, filters;
};

}  // namespace

// A range is a row of y.
void conv2d_forward_f32_work(const nnrun_conv2d_forward_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}

void conv2d_forward_f32_run(const nnrun_conv2d_forward_f32& a, void*, uint32_t, int64_t range) {
  const Sizes s(a);
  const nnrun_windows& w = a.windows;
  const int64_t n = range / w.output[0], row = range % w.output[0];
  const Slice rows = taps_inside(w, 0, row);
  for (int64_t column = 0; column < w.output[1]; ++column) {
    const Slice columns = taps_inside(w, 1, column);
    for (int64_t f = 0; f < a.filters; ++f) {
      const int64_t first_channel = f / s.group_filters * s.group_channels;
      double sum = a.bias ? static_cast<double>(a.bias[f]) : 0;
      for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
        for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
          const float* x = a.x + s.x(n, s.place(0, row, ky), s.place(1, column, kx)) + first_channel;
          const float* weights = a.weights + s.weight(f, ky, kx);
          for (int64_t c = 0; c < s.group_channels; ++c) sum += static_cast<double>(x[c]) * static_cast<double>(weights[c]);
        }
      }
      const auto y = static_cast<float>(sum);
      a.y[s.y(n, row, column) + f] = a.relu && y < 0 ? 0.0f : y;
    }
  }
}

// A range is a row of dx.
void conv2d_backward_data_f32_work(const nnrun_conv2d_backward_data_f32& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.input[0]);
}

void conv2d_backward_data_f32_run(const nnrun_conv2d_backward_data_f32& a, void*, uint32_t, int64_t range) {
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
              const auto dy = static_cast<double>(a.dy[s.y(n, window_row, window_column) + f]);
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

// A range is a filter.
void conv2d_backward_weights_f32_work(const nnrun_conv2d_backward_weights_f32& a, nnrun_work& work) { one_phase(work, a.filters); }

void conv2d_backward_weights_f32_run(const nnrun_conv2d_backward_weights_f32& a, void*, uint32_t, int64_t f) {
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
              const auto dy = static_cast<double>(a.dy[s.y(n, row, column) + f]);
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
  const int64_t windows = w.batch * w.output[0] * w.output[1];
  for (int64_t i = 0; i < windows; ++i) sum += static_cast<double>(a.dy[i * a.filters + f]);
  a.dbias[f] = static_cast<float>(sum);
}

}  // namespace nnrun_scalar
