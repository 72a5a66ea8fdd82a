// Convolutions and pools as a walk over their target, where each element gathers from the source.
#pragma once

#include "../common/windows.hpp"
#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

// One axis of a gather: elements i < count lie at to + i * to_step of the target; their tap t < taps comes from
// i * from_step + from + t * tap_step of the source, which may be outside of it, and is the kernel's tap first_tap + t * tap_stride.
// A window's places ascend with the kernel's taps; going backward the taps are counted from the kernel's end, so that they do too.
struct Lattice {
  int64_t count;
  int64_t to, to_step;
  int64_t from, from_step, tap_step;
  int64_t taps, first_tap, tap_stride;
};

// Windows gather from x.
inline Lattice forward_lattice(const nnrun_windows& w, int axis) {
  return {w.output[axis], 0, 1, -w.padding[axis], w.stride[axis], w.dilation[axis], w.kernel[axis], 0, 1};
}

// The places remainder, remainder + stride, ... of x gather from the windows.
inline Lattice backward_lattice(const nnrun_windows& w, int axis, int64_t remainder) {
  const int64_t stride = w.stride[axis], dilation = w.dilation[axis], kernel = w.kernel[axis];
  Lattice l = {};
  l.count = remainder < w.input[axis] ? (w.input[axis] - 1 - remainder) / stride + 1 : 0;
  l.to = remainder;
  l.to_step = stride;
  l.from_step = 1;
  int64_t first = 0, period = 1;  // those that hit a window: first, first + period, ...
  while (period * dilation % stride != 0) ++period;
  while (first < period && (remainder + w.padding[axis] - first * dilation) % stride != 0) ++first;
  if (first >= smaller(period, kernel)) return l;
  l.taps = (kernel - 1 - first) / period + 1;
  const int64_t last = first + (l.taps - 1) * period;
  l.from = (remainder + w.padding[axis] - last * dilation) / stride;
  l.tap_step = period * dilation / stride;
  l.first_tap = kernel - 1 - last;
  l.tap_stride = period;
  return l;
}

}  // namespace NNRUN_ISA_NAMESPACE
