// Convolutions of pictures with few channels, such as the first layer's three colours: a row of taps is one contiguous piece of a row
// of x. Behind them may come a max-pool of `pool` x `pool`; 1: none.
#pragma once

#include "../common/cut.hpp"
#include "padded_band.hpp"
#include "prefetch.hpp"

namespace {

template <class Arguments, int pool>
struct FewChannels {
  explicit FewChannels(const Arguments& arguments) : a(arguments) {
    height = a.windows.output[0] / pool;
    width = a.windows.output[1] / pool;
    run = a.windows.kernel[1] * a.channels;
    elements = a.windows.kernel[0] * run;
    columns = (pool * width - 1) * a.windows.stride[1] + a.windows.kernel[1];
    step = a.windows.stride[1] * a.channels;
    pitch = columns * a.channels;
  }

  int64_t x_rows(int64_t rows) const {
    return (pool * rows - 1) * a.windows.stride[0] + (a.windows.kernel[0] - 1) * a.windows.dilation[0] + 1;
  }
  // What rows of y see of a picture.
  void copy(int64_t picture, Slice rows, float* to) const {
    copy_padded(
        {a.x + picture * a.windows.input[0] * a.windows.input[1] * a.channels, a.windows.input[0], a.windows.input[1], a.channels,
         pool * rows.begin * a.windows.stride[0] - a.windows.padding[0], -a.windows.padding[1], x_rows(rows.size()), columns, a.channels},
        to);
  }
  // Of a picture, what rows of y see and those before them have not seen.
  void fetch(int64_t picture, Slice rows) const {
    const int64_t row_floats = a.windows.input[1] * a.channels, new_rows = pool * rows.size() * a.windows.stride[0];
    const int64_t end = smaller(a.windows.input[0], pool * rows.begin * a.windows.stride[0] - a.windows.padding[0] + x_rows(rows.size()));
    const int64_t begin = larger(0, end - new_rows);
    if (begin < end) prefetch_floats(a.x + (picture * a.windows.input[0] + begin) * row_floats, (end - begin) * row_floats);
  }

  const Arguments& a;
  int64_t height, width;         // of y
  int64_t run, elements;         // floats of a window's row, of a window
  int64_t columns, step, pitch;  // of copied x: pixels in a row, floats from a window to the next, floats from a row to the next
};

}  // namespace
