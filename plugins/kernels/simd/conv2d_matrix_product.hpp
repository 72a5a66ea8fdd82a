// Windows of one pixel, each pixel once: x is a matrix (pixels, channels), y is (pixels, filters), the weights are (filters,
// channels), and a convolution is a product of matrices.
#pragma once

#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

template <class Arguments>
bool is_matrix_product(const Arguments& a) {
  for (int axis = 0; axis < 2; ++axis) {
    if (a.windows.kernel[axis] != 1 || a.windows.stride[axis] != 1 || a.windows.padding[axis] != 0) return false;
    if (a.windows.input[axis] != a.windows.output[axis]) return false;
  }
  return a.groups == 1;
}

inline int64_t pixels_of(const nnrun_windows& w) { return w.batch * w.output[0] * w.output[1]; }

}  // namespace NNRUN_ISA_NAMESPACE
