// Each channel by itself, forward and backward to the input. Phase 0 packs the weights, (taps, channels). In phase 1 a range
// walks over rows of the target: a few pixels at a time, all channels of them, while the row of the source below is fetched.
#include "conv2d_depthwise.hpp"

#include <cmath>

#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t most_ranges = 64;
constexpr int64_t range_products = 1 << 18;

struct Gather {
  const nnrun_windows& windows;
  bool backward;
  int64_t channels;
  const int64_t* source_size;
  const int64_t* target_size;
  const float* source;
  const float* weights;
  const float* bias;
  float* target;
  bool relu;

  Lattice lattice(int axis, int64_t remainder) const {
    return backward ? backward_lattice(windows, axis, remainder) : forward_lattice(windows, axis);
  }
  // Lattices of an axis: their pixels take turns.
  int64_t remainders(int axis) const { return backward ? windows.stride[axis] : 1; }
  int64_t width() const { return ceil_divide(channels, lanes) * lanes; }
  int64_t taps() const { return windows.kernel[0] * windows.kernel[1]; }
  int64_t rows() const { return windows.batch * target_size[0]; }
  // Channels that go down a picture together: of a picture that the L2 cache can hold, so many that the rows of the source which
  // a row of the target sees stay in the L1 cache for the next one.
  int64_t block_channels() const {
    constexpr int64_t most_picture = 128 * 1024, most_rows = 6 * 1024;  // floats
    const int64_t pixels = windows.kernel[0] * source_size[1];
    if (source_size[0] * source_size[1] * channels > most_picture || pixels * channels <= most_rows) return channels;
    return smaller(channels, larger(2, most_rows / pixels / lanes) * lanes);
  }
  int64_t ranges() const {
    const int64_t products = windows.batch * windows.output[0] * windows.output[1] * taps() * channels;
    return larger(1, smaller(smaller(rows(), most_ranges), products / range_products));
  }
};

Gather gather_of(const nnrun_conv2d_forward_f32& a) {
  return {a.windows, false, a.channels, a.windows.input, a.windows.output, a.x, a.weights, a.bias, a.y, a.relu != 0};
}

Gather gather_of(const nnrun_conv2d_backward_data_f32& a) {
  return {a.windows, true, a.channels, a.windows.output, a.windows.input, a.dy, a.weights, nullptr, a.dx, false};
}

// Neighbours in a row of the target, and those rows of their taps that lie in the source.
struct Piece {
  const float* source;  // the first pixel's first tap
  int64_t source_row, source_pixel;
  int64_t rows;        // of taps
  int64_t rows_ahead;  // to be fetched
  const float* weights;
  int64_t weights_row, weights_tap;
  float* target;
  int64_t target_pixel;
  int64_t channels;
  const float* bias;  // or NULL
  bool relu;
  ColumnMasks masks;  // for `anything_outside`
};

// Pixels are `step` pixels of the source apart. Of the columns that they see, `left` and `right` lie outside of the source.
template <int taps, int step, int pixels, int left, int right>
void gather_piece(const Piece& piece) {
  constexpr bool masked = left == anything_outside;
  constexpr int columns = (pixels - 1) * step + taps;
  const Floats least = all(piece.relu ? 0.0f : -INFINITY);
  const auto gather = [&](int64_t c, auto load_here, auto load_column, auto store_here) __attribute__((always_inline)) {
    const float* source = piece.source + c;
    const float* weights = piece.weights + c;
    float* target = piece.target + c;
    Floats sum[pixels];
    const Floats start = piece.bias ? load_here(piece.bias + c) : zero();
    repeat<pixels>([&](auto p) __attribute__((always_inline)) { sum[p] = start; });
    for (int64_t row = 0; row < piece.rows; ++row, source += piece.source_row, weights += piece.weights_row) {
      Floats w[taps];
      repeat<taps>([&](auto t) __attribute__((always_inline)) { w[t] = load(weights + t * piece.weights_tap); });
      repeat<columns>([&](auto k) __attribute__((always_inline)) {
        if constexpr (!masked && (k < left || k >= columns - right)) return;
        Floats x = load_column(source + k * piece.source_pixel, k);
        asm("" : "+v"(x));  // or GCC would load it again for each tap
        repeat<taps>([&](auto t) __attribute__((always_inline)) {
          constexpr int distance = k - t, p = distance / step;
          if constexpr (distance >= 0 && distance % step == 0 && p < pixels) sum[p] = fma(x, w[t], sum[p]);
        });
      });
    }
    for (int64_t row = 0; row < piece.rows_ahead; ++row, source += piece.source_row) {
      repeat<pixels * step>([&](auto k) __attribute__((always_inline)) { __builtin_prefetch(source + k * piece.source_pixel, 0, 3); });
    }
    repeat<pixels>([&](auto p) __attribute__((always_inline)) {
      __builtin_prefetch(target + (pixels + p) * piece.target_pixel, 0);
      store_here(target + p * piece.target_pixel, maximum(least, sum[p]));
    });
  };
  int64_t c = 0;
  for (; c + lanes <= piece.channels; c += lanes) {
    gather(
        c, [](const float* from) __attribute__((always_inline)) { return load(from); },
        [&](const float* from, int k) __attribute__((always_inline)) { return masked ? load(from, piece.masks.whole[k]) : load(from); },
        [](float* to, Floats x) __attribute__((always_inline)) { store(to, x); });
  }
  if (c == piece.channels) return;
  const Mask rest = first(piece.channels - c);
  gather(
      c, [rest](const float* from) __attribute__((always_inline)) { return load(from, rest); },
      [&](const float* from, int k) __attribute__((always_inline)) { return load(from, masked ? piece.masks.rest[k] : rest); },
      [rest](float* to, Floats x) __attribute__((always_inline)) { store(to, x, rest); });
}

using PieceFunction = void (*)(const Piece&);

template <int taps, int step, int left, int right>
PieceFunction function_of(int64_t pixels) {
  return pixels == 8   ? gather_piece<taps, step, 8, left, right>
         : pixels == 7 ? gather_piece<taps, step, 7, left, right>
         : pixels == 4 ? gather_piece<taps, step, 4, left, right>
         : pixels == 2 ? gather_piece<taps, step, 2, left, right>
                       : gather_piece<taps, step, 1, left, right>;
}

// Wide pieces at the edges of pictures, whose padding is half a window or less; NULL: none of them.
template <int taps, int step>
PieceFunction edge_function_of(int64_t pixels, Outside outside) {
  constexpr int half = taps / 2, sides = half + 1;
  PieceFunction function = nullptr;
  if (pixels < 7) return function;
  repeat<sides * sides>([&](auto i) {
    if (outside.left == i / sides && outside.right == i % sides)
      function = pixels == 8 ? gather_piece<taps, step, 8, i / sides, i % sides> : gather_piece<taps, step, 7, i / sides, i % sides>;
  });
  return function;
}

template <int taps, int step>
PieceFunction function_of(int64_t pixels, Outside outside) {
  if (outside.left + outside.right == 0) return function_of<taps, step, 0, 0>(pixels);
  if constexpr (taps == 3 || taps == 5) {
    if (const PieceFunction function = edge_function_of<taps, step>(pixels, outside)) return function;
  }
  return function_of<taps, step, anything_outside, anything_outside>(pixels);
}

template <int taps>
PieceFunction function_of(int64_t step, int64_t pixels, Outside outside) {
  return step == 1 ? function_of<taps, 1>(pixels, outside) : function_of<taps, 2>(pixels, outside);
}

PieceFunction function_of(int64_t taps, int64_t step, int64_t pixels, Outside outside) {
  switch (taps) {
    case 0:
    case 1: return function_of<1>(step, pixels, outside);
    case 2: return function_of<2>(step, pixels, outside);
    case 3: return function_of<3>(step, pixels, outside);
    case 4: return function_of<4>(step, pixels, outside);
    default: return function_of<5>(step, pixels, outside);
  }
}

// Those pixels of a row of the target that belong to lattice x.
void gather_row(const Gather& g, const float* packed, int64_t picture, int64_t row, Slice channels, const Lattice& y, const Lattice& x) {
  const int64_t place = row / y.to_step * y.from_step + y.from;
  const Slice rows = taps_inside(place, g.source_size[0], y.taps, y.tap_step > 0 ? y.tap_step : 1);
  const int64_t sign = g.backward ? -1 : 1, first_tap = y.first_tap * g.windows.kernel[1] + x.first_tap;
  const float* weights = packed + (g.backward ? g.taps() - 1 - first_tap : first_tap) * g.width() + channels.begin;
  const float* source =
      g.source + channels.begin + (picture * g.source_size[0] + place + rows.begin * y.tap_step) * g.source_size[1] * g.channels;
  float* target = g.target + channels.begin + ((picture * g.target_size[0] + row) * g.target_size[1] + x.to) * g.channels;
  Piece piece = {};
  piece.source_row = y.tap_step * g.source_size[1] * g.channels;
  piece.source_pixel = g.channels;
  piece.rows = x.taps > 0 ? rows.size() : 0;
  // Below the last row of a picture comes the next one, of which the first windows see several rows.
  piece.rows_ahead = x.taps > 0 ? y.from_step + y.taps - rows.end : 0;
  piece.weights_row = sign * y.tap_stride * g.windows.kernel[1] * g.width();
  piece.weights_tap = sign * x.tap_stride * g.width();
  piece.weights = weights + rows.begin * piece.weights_row;
  piece.target_pixel = x.to_step * g.channels;
  piece.channels = channels.size();
  piece.bias = g.bias ? g.bias + channels.begin : nullptr;
  piece.relu = g.relu;
  for (int64_t column = 0, pixels; column < x.count; column += pixels) {
    pixels = piece_pixels(x.count - column, most_depthwise_pixels);
    const int64_t from = column * x.from_step + x.from, columns = (pixels - 1) * x.from_step + x.taps;
    const Outside outside(from, columns, g.source_size[1]);
    if (outside.left + outside.right > 0) piece.masks.set(outside, columns, piece.channels);
    piece.source = source + from * g.channels;
    piece.target = target + column * piece.target_pixel;
    function_of(x.taps, x.from_step, pixels, outside)(piece);
  }
}

bool gather_supports(const Gather& g, int64_t filters, int64_t groups) {
  if (groups != g.channels || groups != filters || g.windows.dilation[1] != 1 || g.windows.kernel[1] > most_depthwise_taps) return false;
  return g.windows.stride[1] <= most_depthwise_step;
}

void gather_work(const Gather& g, nnrun_work& work) {
  work = {};
  work.phases = 2;
  work.ranges[0] = 1;
  work.ranges[1] = g.ranges();
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(g.taps() * g.width()) * sizeof(float);
}

void gather_run(const Gather& g, float* packed, uint32_t phase, int64_t range) {
  if (phase == 0) return pack_transposed(g.weights, g.taps(), g.channels, g.taps(), packed, g.width());
  const int64_t ranges = g.ranges(), step = g.block_channels();
  const int64_t end = g.rows() * (range + 1) / ranges;
  for (int64_t begin = g.rows() * range / ranges, next; begin < end; begin = next) {
    const int64_t picture = begin / g.target_size[0];
    next = smaller(end, (picture + 1) * g.target_size[0]);
    for (int64_t block = 0; block < ceil_divide(g.channels, step); ++block) {
      for (int64_t i = begin; i < next; ++i) {
        const int64_t row = i % g.target_size[0];
        const Lattice y = g.lattice(0, row % g.remainders(0));
        for (int64_t remainder = 0; remainder < g.remainders(1); ++remainder)
          gather_row(g, packed, picture, row, slice_of(g.channels, step, block), y, g.lattice(1, remainder));
      }
    }
  }
}

}  // namespace

#define NNRUN_DEPTHWISE_KERNEL(name)                                                                                   \
  bool name##_depthwise_supports(const nnrun_##name& a) { return gather_supports(gather_of(a), a.filters, a.groups); } \
  void name##_depthwise_work(const nnrun_##name& a, nnrun_work& work) { gather_work(gather_of(a), work); }             \
  void name##_depthwise_run(const nnrun_##name& a, void* workspace, uint32_t phase, int64_t range) {                   \
    gather_run(gather_of(a), static_cast<float*>(workspace), phase, range);                                            \
  }

NNRUN_DEPTHWISE_KERNEL(conv2d_forward_f32)
NNRUN_DEPTHWISE_KERNEL(conv2d_backward_data_f32)

}  // namespace NNRUN_ISA_NAMESPACE
