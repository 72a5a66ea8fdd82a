// Convolutions of each channel by itself, with windows of few columns, which lie side by side. Rows are walked over in pieces of a few
// pixels, those at the edges of pictures in functions of their own.
#pragma once

#include "lattice.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {

constexpr int most_depthwise_taps = 5;  // in a row of a window
constexpr int most_depthwise_pixels = 8;
constexpr int most_depthwise_step = 2;  // pixels from a window to the next
constexpr int most_depthwise_columns = (most_depthwise_pixels - 1) * most_depthwise_step + most_depthwise_taps;

constexpr int anything_outside = -1;

// How many pixels the next piece of a row has. Rows of 7, 14, 28, 56 are cut in sevens, others in eights.
inline int64_t piece_pixels(int64_t left, int64_t most) {
  if (left % 7 == 0 && left % 8 != 0 && most >= 7) return 7;
  int64_t pixels = most;
  while (pixels > left) pixels /= 2;
  return pixels;
}

// Of the columns that a piece sees, those that lie outside of the picture.
struct Outside {
  Outside(int64_t first, int64_t columns, int64_t width) : left(larger(0, -first)), right(larger(0, first + columns - width)) {}
  int64_t left, right;
};

// Which lanes of a column are loaded at the edges: nothing of columns outside; of whole vectors, and of the last channels.
struct ColumnMasks {
  void set(const Outside& outside, int64_t columns, int64_t channels) {
    for (int64_t k = 0; k < columns; ++k) {
      const bool there = k >= outside.left && k < columns - outside.right;
      whole[k] = first(there ? lanes : 0);
      rest[k] = first(there ? channels % lanes : 0);
    }
  }
  Mask whole[most_depthwise_columns], rest[most_depthwise_columns];
};

}  // namespace NNRUN_ISA_NAMESPACE
