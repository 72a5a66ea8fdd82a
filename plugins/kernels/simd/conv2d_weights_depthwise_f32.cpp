// Each channel by itself. Phase 0: slices of y's rows, each into sums of its own, (taps and the bias, channels), which are in
// registers while they grow, a vector of channels at a time. Phase 1 adds the slices' sums in order, and turns them into
// (channels, taps).
#include "conv2d_depthwise.hpp"
#include "conv2d_weights.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t wanted_ranges = 8;  // enough to balance two to eight threads
constexpr int64_t block_rows = 16;    // of y that are summed up before the sums leave the registers
constexpr int most_pixels = lanes >= 16 ? most_depthwise_pixels : most_depthwise_pixels / 2;  // their gradients are in registers, too

struct Layout {
  explicit Layout(const nnrun_conv2d_backward_weights_f32& a) {
    taps = a.windows.kernel[0] * a.windows.kernel[1];
    width = ceil_divide(a.channels, lanes) * lanes;
    rows = a.windows.batch * a.windows.output[0];
    slices = smaller(wanted_ranges, rows);
  }
  int64_t slice_floats() const { return (taps + 1) * width; }

  int64_t taps, width;
  int64_t rows, slices;
};

// The rows of taps whose sums are in registers together.
constexpr int most_rows(int taps) {
  const int rows = depthwise_sums / taps;
  return rows < taps ? rows : taps;
}

// Pieces of rows of y in one picture, one below the other.
struct Block {
  const float* x;            // the first pixel's first tap
  int64_t place, height;     // its row, and the picture's
  int64_t stride, dilation;  // rows of x
  int64_t x_row, pixel;      // floats from a row of x, from a pixel to the next
  const float* dy;
  int64_t dy_row;
  int64_t rows, tap_rows;
  float* to;  // the first tap's sums
  int64_t to_tap_row, to_tap;
  int64_t channels;
  ColumnMasks masks;  // for `anything_outside`
};

// Pixels are `step` pixels of x apart. Of the columns of x that they see, `left` and `right` lie outside.
template <int taps, int step, int pixels, int left, int right>
void add_products(const Block& b) {
  constexpr bool masked = left == anything_outside;
  static constexpr int columns = (pixels - 1) * step + taps, tap_rows = most_rows(taps);  // static: clang 14 does not see others in there
  const auto add_all = [&](int64_t c, auto load_here, auto load_column) __attribute__((always_inline)) {
    Floats sum[tap_rows][taps];
    // What is fetched meanwhile: the next vector of channels, behind the last the next piece.
    const bool more = c + lanes < b.channels;
    const int64_t dy_ahead = more ? lanes : pixels * b.pixel - c, x_ahead = more ? lanes : pixels * step * b.pixel - c;
    repeat<tap_rows>([&](auto i) __attribute__((always_inline)) {
      const bool there = i < b.tap_rows;
      repeat<taps>([&](auto j)
                       __attribute__((always_inline)) { sum[i][j] = there ? load(b.to + i * b.to_tap_row + j * b.to_tap + c) : zero(); });
    });
    for (int64_t row = 0; row < b.rows; ++row) {
      Floats dy[pixels];
      repeat<pixels>([&](auto p) __attribute__((always_inline)) {
        const float* from = b.dy + row * b.dy_row + p * b.pixel + c;
        __builtin_prefetch(from + dy_ahead);
        dy[p] = load_here(from);
      });
      repeat<tap_rows>([&](auto i) __attribute__((always_inline)) {
        const int64_t down = row * b.stride + i * b.dilation;
        if (i >= b.tap_rows || static_cast<uint64_t>(b.place + down) >= static_cast<uint64_t>(b.height)) return;
        const float* from = b.x + down * b.x_row + c;
        repeat<columns>([&](auto k) __attribute__((always_inline)) {
          if constexpr (!masked && (k < left || k >= columns - right)) return;
          Floats x = load_column(from + k * b.pixel, k);
          if constexpr (i >= tap_rows - step) __builtin_prefetch(from + k * b.pixel + x_ahead);
          asm("" : "+v"(x));  // or GCC would load it again for each tap
          repeat<taps>([&](auto j) __attribute__((always_inline)) {
            constexpr int distance = k - j, p = distance / step;
            if constexpr (distance >= 0 && distance % step == 0 && p < pixels) sum[i][j] = fma(x, dy[p], sum[i][j]);
          });
        });
      });
    }
    repeat<tap_rows>([&](auto i) __attribute__((always_inline)) {
      if (i >= b.tap_rows) return;
      repeat<taps>([&](auto j) __attribute__((always_inline)) { store(b.to + i * b.to_tap_row + j * b.to_tap + c, sum[i][j]); });
    });
  };
  int64_t c = 0;
  for (; c + lanes <= b.channels; c += lanes) {
    add_all(
        c, [](const float* from) __attribute__((always_inline)) { return load(from); },
        [&](const float* from, int k) __attribute__((always_inline)) { return masked ? load(from, b.masks.whole[k]) : load(from); });
  }
  if (c == b.channels) return;
  const Mask rest = first(b.channels - c);
  add_all(
      c, [rest](const float* from) __attribute__((always_inline)) { return load(from, rest); },
      [&](const float* from, int k) __attribute__((always_inline)) { return load(from, masked ? b.masks.rest[k] : rest); });
}

using AddFunction = void (*)(const Block&);

// Of usual widths, not at the edges of pictures or at those whose padding is a column; NULL: none of them.
template <int taps, int step, int pixels>
AddFunction wide_function_of(Outside outside) {
  if (outside.left + outside.right == 0) return add_products<taps, step, pixels, 0, 0>;
  if constexpr (taps == 3) {
    if (outside.left == 1 && outside.right == 0) return add_products<taps, step, pixels, 1, 0>;
    if (outside.left == 0 && outside.right == 1) return add_products<taps, step, pixels, 0, 1>;
    if (outside.left == 1 && outside.right == 1) return add_products<taps, step, pixels, 1, 1>;
  }
  return nullptr;
}

template <int taps, int step>
AddFunction function_of(int64_t pixels, Outside outside) {
  AddFunction function = nullptr;
  if constexpr (taps == 3 || taps == 5) {
    if (pixels == most_pixels) function = wide_function_of<taps, step, most_pixels>(outside);
    if constexpr (most_pixels > 7) {
      if (pixels == 7) function = wide_function_of<taps, step, 7>(outside);
    }
    if (function != nullptr) return function;
  }
  constexpr int any = anything_outside;
  switch (pixels) {
    case 1: return add_products<taps, step, 1, any, any>;
    case 2: return add_products<taps, step, 2, any, any>;
    case 4: return add_products<taps, step, 4, any, any>;
    case 7: return add_products<taps, step, 7, any, any>;
    default: return add_products<taps, step, most_pixels, any, any>;
  }
}

template <int taps>
void add_tap_rows(Block b, int64_t step, int64_t pixels, Outside outside) {
  const AddFunction add = step == 1 ? function_of<taps, 1>(pixels, outside) : function_of<taps, 2>(pixels, outside);
  for (int64_t left = b.tap_rows; left > 0; left -= most_rows(taps)) {
    b.tap_rows = smaller(most_rows(taps), left);
    add(b);
    b.place += b.tap_rows * b.dilation;
    b.x += b.tap_rows * b.dilation * b.x_row;
    b.to += b.tap_rows * b.to_tap_row;
  }
}

void add_block(const Block& b, int64_t taps, int64_t step, int64_t pixels, Outside outside) {
  switch (taps) {
    case 1: return add_tap_rows<1>(b, step, pixels, outside);
    case 2: return add_tap_rows<2>(b, step, pixels, outside);
    case 3: return add_tap_rows<3>(b, step, pixels, outside);
    case 4: return add_tap_rows<4>(b, step, pixels, outside);
    default: return add_tap_rows<5>(b, step, pixels, outside);
  }
}

void add_rows(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, int64_t picture, Slice rows, float* sums) {
  const nnrun_windows& w = a.windows;
  Block b = {};
  b.place = rows.begin * w.stride[0] - w.padding[0];
  b.height = w.input[0];
  b.stride = w.stride[0];
  b.dilation = w.dilation[0];
  b.x_row = w.input[1] * a.channels;
  b.pixel = a.channels;
  b.dy_row = w.output[1] * a.channels;
  b.rows = rows.size();
  b.tap_rows = w.kernel[0];
  b.to = sums;
  b.to_tap_row = w.kernel[1] * l.width;
  b.to_tap = l.width;
  b.channels = a.channels;
  const float* x = a.x + (picture * w.input[0] + b.place) * b.x_row;
  const float* dy = a.dy + (picture * w.output[0] + rows.begin) * b.dy_row;
  for (int64_t column = 0, pixels; column < w.output[1]; column += pixels) {
    pixels = piece_pixels(w.output[1] - column, most_pixels);
    const int64_t from = column * w.stride[1] - w.padding[1], columns = (pixels - 1) * w.stride[1] + w.kernel[1];
    const Outside outside(from, columns, w.input[1]);
    b.masks.set(outside, columns, a.channels);
    b.x = x + from * a.channels;
    b.dy = dy + column * a.channels;
    add_block(b, w.kernel[1], w.stride[1], pixels, outside);
  }
}

void sum_slice(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, Slice rows, float* sums) {
  const nnrun_windows& w = a.windows;
  for (int64_t i = 0; i < l.slice_floats(); i += lanes) store(sums + i, zero());
  for (int64_t begin = rows.begin, end; begin < rows.end; begin = end) {
    const int64_t picture = begin / w.output[0], row = begin % w.output[0];
    end = smaller(smaller(rows.end, begin + block_rows), (picture + 1) * w.output[0]);
    add_rows(a, l, picture, {row, row + end - begin}, sums);
    if (!a.has_bias) continue;
    const PixelBlock block = {1, (end - begin) * w.output[1], nullptr, 0, 0, a.dy + begin * w.output[1] * a.channels, 0, a.channels};
    sum_pixels(block, a.channels, sums + l.taps * l.width, true);
  }
}

// Channels channel..channel + lanes - 1.
void reduce(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, const float* sums, int64_t channel) {
  const int64_t count = smaller(lanes, a.channels - channel);
  for (int64_t tap = 0; tap < l.taps + (a.has_bias ? 1 : 0); ++tap) {
    const float* from = sums + tap * l.width + channel;
    Floats sum = load(from);
    for (int64_t slice = 1; slice < l.slices; ++slice) sum = add(sum, load(from + slice * l.slice_floats()));
    if (tap == l.taps) {
      store(a.dbias + channel, sum, first(count));
      continue;
    }
    float of_channel[lanes];
    store(of_channel, sum);
    for (int64_t c = 0; c < count; ++c) a.dweights[(channel + c) * l.taps + tap] = of_channel[c];
  }
}

}  // namespace

bool conv2d_backward_weights_f32_depthwise_supports(const nnrun_conv2d_backward_weights_f32& a) {
  return a.groups == a.channels && a.groups == a.filters && a.windows.dilation[1] == 1 && a.windows.kernel[1] <= most_depthwise_taps &&
         a.windows.stride[1] <= most_depthwise_step;
}

void conv2d_backward_weights_f32_depthwise_work(const nnrun_conv2d_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.slices;
  work.batch_phase = 1;
  work.ranges[1] = l.width / lanes;
  work.workspace = static_cast<size_t>(l.slices * l.slice_floats()) * sizeof(float);
}

void conv2d_backward_weights_f32_depthwise_run(const nnrun_conv2d_backward_weights_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const Layout l(a);
  float* sums = static_cast<float*>(workspace);
  if (phase == 0) {
    sum_slice(a, l, {l.rows * range / l.slices, l.rows * (range + 1) / l.slices}, sums + range * l.slice_floats());
  } else {
    reduce(a, l, sums, range * lanes);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
