// Shapes of windows for the tests of convolutions and pools, and a naive walk over them.
#pragma once

#include <nnrun/kernels.h>

#include <cstdint>
#include <string>

// Height and width of the picture, kernel, stride, dilation, padding before, padding behind.
struct WindowShape {
  int64_t batch;
  int64_t size[2], kernel[2], stride[2], dilation[2], before[2], behind[2];
};

inline nnrun_windows windows_of(const WindowShape& s) {
  nnrun_windows w = {};
  w.batch = s.batch;
  for (int axis = 0; axis < 2; ++axis) {
    w.input[axis] = s.size[axis];
    w.kernel[axis] = s.kernel[axis];
    w.stride[axis] = s.stride[axis];
    w.dilation[axis] = s.dilation[axis];
    w.padding[axis] = s.before[axis];
    const int64_t reach = (s.kernel[axis] - 1) * s.dilation[axis] + 1;
    w.output[axis] = (s.size[axis] + s.before[axis] + s.behind[axis] - reach) / s.stride[axis] + 1;
  }
  return w;
}

inline std::string describe(const WindowShape& s) {
  const auto pair = [](const int64_t(&p)[2]) { return std::to_string(p[0]) + "x" + std::to_string(p[1]); };
  return std::to_string(s.batch) + " of " + pair(s.size) + " kernel " + pair(s.kernel) + " stride " + pair(s.stride) + " dilation " +
         pair(s.dilation) + " padding " + pair(s.before) + " " + pair(s.behind);
}

// body(pixel of x, pixel of y, tap) for all that meet; pixels count over the batch.
template <class Body>
void for_each_tap(const nnrun_windows& w, Body body) {
  for (int64_t n = 0; n < w.batch; ++n) {
    for (int64_t row = 0; row < w.output[0]; ++row) {
      for (int64_t column = 0; column < w.output[1]; ++column) {
        for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
          for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
            const int64_t y = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
            const int64_t x = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
            if (y < 0 || y >= w.input[0] || x < 0 || x >= w.input[1]) continue;
            body((n * w.input[0] + y) * w.input[1] + x, (n * w.output[0] + row) * w.output[1] + column, ky * w.kernel[1] + kx);
          }
        }
      }
    }
  }
}

inline int64_t pixels(int64_t batch, const int64_t (&size)[2]) { return batch * size[0] * size[1]; }
