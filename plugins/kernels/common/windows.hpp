// The geometry of nnrun_windows, an axis at a time.
#pragma once

#include <nnrun/kernels.h>

#include "cut.hpp"

namespace {

// The taps t of a window at `place` (window * stride - padding) that lie in 0..size-1.
inline Slice taps_inside(int64_t place, int64_t size, int64_t kernel, int64_t dilation) {
  const int64_t begin = place < 0 ? ceil_divide(-place, dilation) : 0;
  const int64_t end = place < size ? smaller(kernel, (size - 1 - place) / dilation + 1) : 0;
  return {begin, larger(begin, end)};
}

inline Slice taps_inside(const nnrun_windows& w, int axis, int64_t window) {
  return taps_inside(window * w.stride[axis] - w.padding[axis], w.input[axis], w.kernel[axis], w.dilation[axis]);
}

// The windows that have their tap t in 0..input-1.
inline Slice windows_inside(const nnrun_windows& w, int axis, int64_t t) {
  const int64_t first = t * w.dilation[axis] - w.padding[axis];  // where the tap of window 0 lies
  const int64_t begin = first < 0 ? ceil_divide(-first, w.stride[axis]) : 0;
  const int64_t end = first < w.input[axis] ? smaller(w.output[axis], (w.input[axis] - 1 - first) / w.stride[axis] + 1) : 0;
  return {begin, larger(begin, end)};
}

// The window whose tap t lies at `place`, or -1.
inline int64_t window_at(const nnrun_windows& w, int axis, int64_t place, int64_t t) {
  const int64_t distance = place + w.padding[axis] - t * w.dilation[axis];
  if (distance < 0 || distance % w.stride[axis] != 0) return -1;
  const int64_t window = distance / w.stride[axis];
  return window < w.output[axis] ? window : -1;
}

}  // namespace
