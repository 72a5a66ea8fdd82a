// The parts of conv2d_backward_weights_f32.
#pragma once

#include "../common/windows.hpp"
#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

// A block of pixels of y, rows x columns of them, and what belongs to them in x for one tap, or a row of taps.
struct PixelBlock {
  int64_t rows, columns;
  const float* x;
  int64_t x_row, x_pixel;  // floats from one to the next
  const float* dy;
  int64_t dy_row, dy_pixel;
};

// to[i * width + j] (+)= sum over the pixels of x[i] * dy[j], for i < elements, j < vectors * lanes, vectors * lanes <= width.
using OuterFunction = void (*)(const PixelBlock& block, float* to, int64_t width, bool accumulate);

// elements in 1..outer_elements(vectors)
constexpr int outer_elements(int64_t vectors) { return conv_outer_elements(static_cast<int>(vectors)); }
OuterFunction outer_function(int64_t elements, int64_t vectors);

// to[j] (+)= sum over the pixels of dy[j], for j < columns.
void sum_pixels(const PixelBlock& block, int64_t columns, float* to, bool accumulate);

// to[j] (+)= sum over the pixels of x[j] * dy[j], for j < columns.
void sum_products(const PixelBlock& block, int64_t columns, float* to, bool accumulate);

}  // namespace NNRUN_ISA_NAMESPACE
