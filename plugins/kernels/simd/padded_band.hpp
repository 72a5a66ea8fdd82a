// Some rows of a picture, copied with the zeros around it, so that who walks over them needs no edge cases.
#pragma once

#include "strips.hpp"

namespace {

struct PaddedBand {
  const float* picture;  // (height, width, channels)
  int64_t height, width, channels;
  int64_t first_row, first_column;  // of the copy, in the picture; may be outside
  int64_t rows, columns, pixel;     // of the copy, (rows, columns, pixel), pixel >= channels; what is more is zero
};

inline void fill_with_zeros(float* to, int64_t count) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store(to + i, zero());
  if (i < count) store(to + i, zero(), first(count - i));
}

inline void copy_floats(const float* from, int64_t count, float* to) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store(to + i, load(from + i));
  if (i < count) store(to + i, load(from + i, first(count - i)), first(count - i));
}

inline void copy_padded(const PaddedBand& b, float* to) {
  const int64_t begin = smaller(b.columns, larger(0, -b.first_column)), end = larger(begin, smaller(b.columns, b.width - b.first_column));
  for (int64_t row = b.first_row; row < b.first_row + b.rows; ++row, to += b.columns * b.pixel) {
    if (row < 0 || row >= b.height || begin == end) {
      fill_with_zeros(to, b.columns * b.pixel);
      continue;
    }
    const float* from = b.picture + (row * b.width + b.first_column + begin) * b.channels;
    fill_with_zeros(to, begin * b.pixel);
    if (b.pixel == b.channels) {
      copy_floats(from, (end - begin) * b.channels, to + begin * b.pixel);
    } else {
      for (int64_t column = begin; column < end; ++column, from += b.channels) {
        copy_floats(from, b.channels, to + column * b.pixel);
        fill_with_zeros(to + column * b.pixel + b.channels, b.pixel - b.channels);
      }
    }
    fill_with_zeros(to + end * b.pixel, (b.columns - end) * b.pixel);
  }
}

}  // namespace
