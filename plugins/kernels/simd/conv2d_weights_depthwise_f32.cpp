// Each channel by itself. Phase 0: slices of y's rows, each into sums of its own, (taps and the bias, channels), which are in
// registers while they grow, a vector of channels at a time. Phase 1 adds the slices' sums in order, and turns them into
// (channels, taps).
#include "conv2d_depthwise.hpp"
#include "conv2d_weights.hpp"
#include "prefetch.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t wanted_ranges = 8;  // enough to balance two to eight threads
constexpr int64_t block_rows = 4;     // of y that are summed up before the sums leave the registers

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

// Pixels of y, and those taps of them that lie in x.
struct Block {
  const float* x;  // the first pixel's first tap
  int64_t x_row, x_pixel, x_tap_row, x_tap;
  const float* dy;
  int64_t dy_row, dy_pixel;
  int64_t rows, columns;
  float* to;  // the first tap's sums
  int64_t to_tap_row, to_tap;
  int64_t channels;
};

template <int tap_rows, int taps>
void add_products(const Block& b) {
  for (int64_t c = 0; c < b.channels; c += lanes) {
    Floats sum[tap_rows][taps];
    repeat<tap_rows>([&](auto i) __attribute__((always_inline)) {
      repeat<taps>([&](auto j) __attribute__((always_inline)) { sum[i][j] = load(b.to + i * b.to_tap_row + j * b.to_tap + c); });
    });
    const auto add_all = [&](auto load_here) __attribute__((always_inline)) {
      for (int64_t row = 0; row < b.rows; ++row) {
        const float* x = b.x + row * b.x_row + c;
        const float* dy = b.dy + row * b.dy_row + c;
        for (int64_t column = 0; column < b.columns; ++column, x += b.x_pixel, dy += b.dy_pixel) {
          const Floats g = load_here(dy);
          // The next vector of channels, of what the rows above have not seen.
          __builtin_prefetch(dy + lanes);
          __builtin_prefetch(x + (tap_rows - 1) * b.x_tap_row + lanes);
          repeat<tap_rows>([&](auto i) __attribute__((always_inline)) {
            repeat<taps>([&](auto j) __attribute__((always_inline)) {
              sum[i][j] = fma(load_here(x + i * b.x_tap_row + j * b.x_tap), g, sum[i][j]);
            });
          });
        }
      }
    };
    if (c + lanes <= b.channels) {
      add_all([](const float* from) __attribute__((always_inline)) { return load(from); });
    } else {
      const Mask rest = first(b.channels - c);
      add_all([rest](const float* from) __attribute__((always_inline)) { return load(from, rest); });
    }
    repeat<tap_rows>([&](auto i) __attribute__((always_inline)) {
      repeat<taps>([&](auto j) __attribute__((always_inline)) { store(b.to + i * b.to_tap_row + j * b.to_tap + c, sum[i][j]); });
    });
  }
}

// The rows of taps that fit the registers.
constexpr int most_rows(int taps) {
  const int rows = depthwise_sums / taps;
  return rows < most_depthwise_taps ? rows : most_depthwise_taps;
}

template <int taps>
void add_tap_rows(Block b, int64_t tap_rows) {
  constexpr int most = most_rows(taps);
  while (tap_rows > 0) {
    const int64_t here = smaller(most, tap_rows);
    repeat<most>([&](auto i) {
      if (i + 1 == here) add_products<i + 1, taps>(b);
    });
    b.x += here * b.x_tap_row;
    b.to += here * b.to_tap_row;
    tap_rows -= here;
  }
}

void add_block(const Block& b, int64_t tap_rows, int64_t taps) {
  switch (taps) {
    case 0:
      return;
    case 1:
      return add_tap_rows<1>(b, tap_rows);
    case 2:
      return add_tap_rows<2>(b, tap_rows);
    case 3:
      return add_tap_rows<3>(b, tap_rows);
    case 4:
      return add_tap_rows<4>(b, tap_rows);
    default:
      return add_tap_rows<5>(b, tap_rows);
  }
}

// Rows of y in one picture, which have the same rows of taps in x.
void add_rows(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, int64_t picture, Slice rows, Slice tap_rows,
              float* sums) {
  const nnrun_windows& w = a.windows;
  Block b = {};
  b.x_row = w.stride[0] * w.input[1] * a.channels;
  b.x_pixel = w.stride[1] * a.channels;
  b.x_tap_row = w.dilation[0] * w.input[1] * a.channels;
  b.x_tap = a.channels;
  b.dy_row = w.output[1] * a.channels;
  b.dy_pixel = a.channels;
  b.rows = rows.size();
  b.to_tap_row = w.kernel[1] * l.width;
  b.to_tap = l.width;
  b.channels = a.channels;
  const float* dy = a.dy + (picture * w.output[0] + rows.begin) * w.output[1] * a.channels;
  const int64_t place = rows.begin * w.stride[0] - w.padding[0] + tap_rows.begin * w.dilation[0];
  for (int64_t column = 0; column < w.output[1]; column += b.columns) {
    const Slice taps = taps_inside(w, 1, column);
    b.columns = 1;
    while (column + b.columns < w.output[1]) {
      const Slice next = taps_inside(w, 1, column + b.columns);
      if (next.begin != taps.begin || next.end != taps.end) break;
      ++b.columns;
    }
    if (taps.size() == 0 || tap_rows.size() == 0) continue;
    b.x = a.x + ((picture * w.input[0] + place) * w.input[1] + column * w.stride[1] - w.padding[1] + taps.begin) * a.channels;
    b.dy = dy + column * a.channels;
    b.to = sums + tap_rows.begin * b.to_tap_row + taps.begin * b.to_tap;
    add_block(b, tap_rows.size(), taps.size());
  }
}

void sum_slice(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, Slice rows, float* sums) {
  const nnrun_windows& w = a.windows;
  for (int64_t i = 0; i < l.slice_floats(); i += lanes) store(sums + i, zero());
  for (int64_t begin = rows.begin, end; begin < rows.end; begin = end) {
    const int64_t picture = begin / w.output[0], row = begin % w.output[0];
    const Slice tap_rows = taps_inside(w, 0, row);
    const int64_t last = smaller(smaller(rows.end, begin + block_rows), (picture + 1) * w.output[0]);
    for (end = begin + 1; end < last; ++end) {
      const Slice next = taps_inside(w, 0, end % w.output[0]);
      if (next.begin != tap_rows.begin || next.end != tap_rows.end) break;
    }
    add_rows(a, l, picture, {row, row + end - begin}, tap_rows, sums);
    if (!a.has_bias) continue;
    const PixelBlock block = {1,         (end - begin) * w.output[1], nullptr, 0, 0, a.dy + begin * w.output[1] * a.channels, 0,
                              a.channels};
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
  return a.groups == a.channels && a.groups == a.filters && a.windows.dilation[1] == 1 &&
         a.windows.kernel[1] <= most_depthwise_taps;
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

void conv2d_backward_weights_f32_depthwise_run(const nnrun_conv2d_backward_weights_f32& a, void* workspace, uint32_t phase,
                                               int64_t range) {
  const Layout l(a);
  float* sums = static_cast<float*>(workspace);
  if (phase == 0) {
    sum_slice(a, l, {l.rows * range / l.slices, l.rows * (range + 1) / l.slices}, sums + range * l.slice_floats());
  } else {
    reduce(a, l, sums, range * lanes);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
