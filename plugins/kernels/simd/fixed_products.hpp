// Matrix products and convolutions of integers, for any library: dot products side by side, a tile of rows and features at a time. A
// library says for each kind of product (../common/integers.hpp) how a vector of products is added up:
//
//   struct Vectors<Kind> {
//     using Sum;                                             // a vector of sums
//     static constexpr int64_t width;                        // products of one step
//     static Sum zero();
//     static Sum add(Sum, const X* x, const W* w);           // a whole step
//     static Sum add(Sum, const X* x, const W* w, int64_t);  // the first few
//     static Kind::Sum total(Sum);
//     static void totals(const Sum (&)[4], Kind::Sum* to);   // of four at once, which costs little more than of one
//   };
//
// Sums wrap, so that their order does not matter.
#pragma once

#include "../common/integers.hpp"
#include "../common/windows.hpp"

#include <cstring>

namespace NNRUN_ISA_NAMESPACE {

constexpr int64_t tile_features = 4;
constexpr int64_t tile_rows = 4;
// Of one row: enough sums at once that none waits for itself.
constexpr int64_t row_features = 8;
// From so many rows on, a tile's weights are copied to where each of their vectors lies in one cache line.
constexpr int64_t rows_worth_packing = 8;

// y[i][f] for `rows` x `features` of a tile; x's rows are `depth` apart, those of the weights `apart`, y's `stride`.
template <class Kind, int rows, int features>
inline void product_tile(const typename Kind::X* x, const typename Kind::W* weights, int64_t apart, const int32_t* bias, int32_t* y,
                         int64_t depth, int64_t stride, int32_t shift) {
  using V = Vectors<Kind>;
  typename V::Sum sums[rows][features];
  for (auto& row : sums) {
    for (auto& sum : row) sum = V::zero();
  }
  int64_t k = 0;
  for (; k + V::width <= depth; k += V::width) {
    for (int i = 0; i < rows; ++i) {
      for (int f = 0; f < features; ++f) sums[i][f] = V::add(sums[i][f], x + i * depth + k, weights + f * apart + k);
    }
  }
  if (k < depth) {
    for (int i = 0; i < rows; ++i) {
      for (int f = 0; f < features; ++f) sums[i][f] = V::add(sums[i][f], x + i * depth + k, weights + f * apart + k, depth - k);
    }
  }
  for (int i = 0; i < rows; ++i) {
    typename Kind::Sum totals[features];
    if constexpr (features % 4 == 0) {
      for (int f = 0; f < features; f += 4) V::totals({sums[i][f], sums[i][f + 1], sums[i][f + 2], sums[i][f + 3]}, totals + f);
    } else {
      for (int f = 0; f < features; ++f) totals[f] = V::total(sums[i][f]);
    }
    for (int f = 0; f < features; ++f) {
      const int32_t b = bias ? bias[f] : 0;
      y[i * stride + f] = Kind::finish(wrapping_add(Kind::start(b), totals[f]), b, shift);
    }
  }
}

// y (rows, features), rows `stride` apart, of contiguous x and weights.
template <class Kind>
inline void products(const typename Kind::X* x, const typename Kind::W* weights, const int32_t* bias, int32_t* y, int64_t rows,
                     int64_t features, int64_t depth, int64_t stride, int32_t shift) {
  constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(typename Kind::W)),
                    packed_depth = 8192 / static_cast<int64_t>(sizeof(typename Kind::W));
  alignas(64) typename Kind::W packed[tile_features * packed_depth];
  for (int64_t f = 0; f < features;) {
    const typename Kind::W* w = weights + f * depth;
    const int32_t* b = bias ? bias + f : nullptr;
    if (rows == 1 && f + row_features <= features) {
      product_tile<Kind, 1, row_features>(x, w, depth, b, y + f, depth, stride, shift);
      f += row_features;
      continue;
    }
    const bool wide = f + tile_features <= features;
    int64_t apart = depth;
    if (wide && rows >= rows_worth_packing && depth <= packed_depth) {
      apart = ceil_divide(depth, line) * line;
      for (int64_t i = 0; i < tile_features; ++i)
        std::memcpy(packed + i * apart, w + i * depth, static_cast<std::size_t>(depth) * sizeof *w);
      w = packed;
    }
    for (int64_t i = 0; i < rows;) {
      const bool tall = i + tile_rows <= rows;
      const typename Kind::X* from = x + i * depth;
      int32_t* to = y + i * stride + f;
      if (tall && wide) {
        product_tile<Kind, tile_rows, tile_features>(from, w, apart, b, to, depth, stride, shift);
      } else if (wide) {
        product_tile<Kind, 1, tile_features>(from, w, apart, b, to, depth, stride, shift);
      } else if (tall) {
        product_tile<Kind, tile_rows, 1>(from, w, apart, b, to, depth, stride, shift);
      } else {
        product_tile<Kind, 1, 1>(from, w, apart, b, to, depth, stride, shift);
      }
      i += tall ? tile_rows : 1;
    }
    f += wide ? tile_features : 1;
  }
}

// A range is a block of rows and of features, with so many products that a thread is worth it, but no more of either than a cache holds.
struct Cut {
  int64_t rows, features;
};

template <class Kind, class Arguments>
Cut cut_of(const Arguments& a) {
  constexpr int64_t products_per_range = int64_t{1} << (sizeof(typename Kind::W) == 1 ? 20 : 18);
  const int64_t features = larger(16, smaller(a.features, products_per_range / larger(1, a.depth) / 16 * 16));
  return {larger(tile_rows, products_per_range / larger(1, a.depth * smaller(features, a.features)) / tile_rows * tile_rows), features};
}

template <class Kind, class Arguments>
void matmul_work(const Arguments& a, nnrun_work& work) {
  const Cut cut = cut_of<Kind>(a);
  one_phase(work, ceil_divide(a.rows, cut.rows) * ceil_divide(a.features, cut.features));
}

template <class Kind, class Arguments>
void matmul(const Arguments& a, int64_t range) {
  const Cut cut = cut_of<Kind>(a);
  const int64_t blocks = ceil_divide(a.features, cut.features);
  const Slice rows = slice_of(a.rows, cut.rows, range / blocks), features = slice_of(a.features, cut.features, range % blocks);
  products<Kind>(a.x + rows.begin * a.depth, a.weights + features.begin * a.depth, a.bias ? a.bias + features.begin : nullptr,
                 a.y + rows.begin * a.features + features.begin, rows.size(), features.size(), a.depth, a.features, shift_of(a));
}

// A range is a row of y.
template <class Arguments>
void conv2d_work(const Arguments& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}

// What the window at (row, column) of picture n sees of the channels of one group, in the order of the weights.
template <class Kind, class Arguments>
void gather(const Arguments& a, int64_t n, int64_t row, int64_t column, int64_t first_channel, typename Kind::X* to) {
  const nnrun_windows& w = a.windows;
  const int64_t channels = a.channels / a.groups;
  for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
    const int64_t y = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
    for (int64_t kx = 0; kx < w.kernel[1]; ++kx, to += channels) {
      const int64_t x = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
      if (y < 0 || y >= w.input[0] || x < 0 || x >= w.input[1]) {
        for (int64_t c = 0; c < channels; ++c) to[c] = static_cast<typename Kind::X>(outside_of(a));
      } else {
        const typename Kind::X* from = a.x + ((n * w.input[0] + y) * w.input[1] + x) * a.channels + first_channel;
        for (int64_t c = 0; c < channels; ++c) to[c] = from[c];
      }
    }
  }
}

constexpr int64_t window_bytes = 1 << 16;

// Windows are copied side by side, as many as the buffer holds, and multiplied as rows of a matrix.
template <class Kind, class Arguments>
void conv2d(const Arguments& a, int64_t range) {
  const nnrun_windows& w = a.windows;
  const int64_t n = range / w.output[0], row = range % w.output[0];
  const int64_t channels = a.channels / a.groups, filters = a.filters / a.groups, depth = w.kernel[0] * w.kernel[1] * channels;
  constexpr int64_t capacity = window_bytes / static_cast<int64_t>(sizeof(typename Kind::X));
  alignas(64) typename Kind::X windows[capacity];
  const int64_t at_once = smaller(w.output[1], capacity / depth);
  int32_t* y = a.y + range * w.output[1] * a.filters;
  for (int64_t group = 0; group < a.groups; ++group) {
    const typename Kind::W* weights = a.weights + group * filters * depth;
    const int32_t* bias = a.bias ? a.bias + group * filters : nullptr;
    for (int64_t column = 0; column < w.output[1]; column += at_once) {
      const int64_t count = smaller(at_once, w.output[1] - column);
      for (int64_t i = 0; i < count; ++i) gather<Kind>(a, n, row, column + i, group * channels, windows + i * depth);
      products<Kind>(windows, weights, bias, y + column * a.filters + group * filters, count, filters, depth, a.filters, shift_of(a));
    }
  }
}

// Whether a window fits the buffer; what does not is left to scalar.
template <class Kind, class Arguments>
bool conv2d_supports(const Arguments& a) {
  constexpr int64_t capacity = window_bytes / static_cast<int64_t>(sizeof(typename Kind::X));
  return a.windows.kernel[0] * a.windows.kernel[1] * (a.channels / a.groups) <= capacity;
}

}  // namespace NNRUN_ISA_NAMESPACE

#define NNRUN_INTEGER_PRODUCTS(suffix, Kind)                                                                             \
  void matmul_##suffix##_work(const nnrun_matmul_##suffix& a, nnrun_work& work) { matmul_work<Kind>(a, work); }          \
  void matmul_##suffix##_run(const nnrun_matmul_##suffix& a, void*, uint32_t, int64_t range) { matmul<Kind>(a, range); } \
  bool conv2d_##suffix##_gathered_supports(const nnrun_conv2d_##suffix& a) { return conv2d_supports<Kind>(a); }          \
  void conv2d_##suffix##_gathered_work(const nnrun_conv2d_##suffix& a, nnrun_work& work) { conv2d_work(a, work); }       \
  void conv2d_##suffix##_gathered_run(const nnrun_conv2d_##suffix& a, void*, uint32_t, int64_t range) { conv2d<Kind>(a, range); }
