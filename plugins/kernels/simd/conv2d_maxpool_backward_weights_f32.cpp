// Few channels, windows of at most 31 elements: each window of x becomes a row of a table, with a 1 behind it for the bias, and each
// gradient takes the row that argmax names. Where ReLU lets no gradient through, it counts as zero: with so few elements that is
// cheaper than to leave it out.
//
// Phase 0: slices of the batch, each into sums of its own, (filters, 32). Phase 1 adds up the slices.
#include "few_channels.hpp"
#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t row_floats = 32;  // of the table
constexpr int row_vectors = static_cast<int>(row_floats / lanes);
constexpr int64_t most_slices = 8;
constexpr int64_t block_filters = few_channels_filters;  // sums of so many filters are in registers

struct Layout : FewChannels<nnrun_conv2d_maxpool_backward_weights_f32, 2> {
  explicit Layout(const nnrun_conv2d_maxpool_backward_weights_f32& arguments) : FewChannels(arguments) {
    filters = ceil_divide(a.filters, lanes) * lanes;
    slices = smaller(most_slices, a.windows.batch);
    sums = filters * row_floats;
    x_floats = ceil_divide(x_rows(1) * pitch, lanes) * lanes + 2 * lanes;  // rows are read in whole vectors
    table = width * 4 * row_floats;
    gradients = width * filters;
    slice_floats = sums + x_floats + table + gradients + ceil_divide(gradients, 4);
  }
  int64_t filters, slices, sums, x_floats, table, gradients, slice_floats;
};

// How a window becomes a row of the table: vector v of the row takes the lanes `mask` of piece after piece, each from another row of
// taps, and what the window does not fill from `ends`.
struct Pieces {
  explicit Pieces(const Layout& l) {
    const int64_t tap_row = l.a.windows.dilation[0] * l.pitch;
    alignas(64) float numbers[row_floats] = {};
    numbers[l.elements] = 1.0f;
    for (int v = 0; v < row_vectors; ++v) {
      ends[v] = load(numbers + v * lanes);
      int64_t pieces = 0;
      for (int64_t ky = 0; ky < l.a.windows.kernel[0]; ++ky) {
        const int64_t begin = larger(0, ky * l.run - v * lanes), end = smaller(lanes, (ky + 1) * l.run - v * lanes);
        if (begin >= end) continue;
        mask[v][pieces] = difference(first(end), first(begin));
        offset[v][pieces++] = ky * tap_row + v * lanes - ky * l.run;
      }
      most = larger(most, pieces);
      for (; pieces < most_pieces; ++pieces) mask[v][pieces] = first(0), offset[v][pieces] = 0;
    }
  }

  static constexpr int64_t most_pieces = lanes;
  int64_t most = 1;  // pieces of one vector
  Floats ends[row_vectors];
  Mask mask[row_vectors][most_pieces];
  int64_t offset[row_vectors][most_pieces];
};

// (pooled pixels, 4 windows, 32). `fixed`: how many pieces a vector has; 0: any number.
template <int fixed>
void fill_table(const Layout& l, const Pieces& pieces, const float* x, float* table) {
  const int64_t below = l.a.windows.stride[0] * l.pitch, count = fixed != 0 ? fixed : pieces.most;
  for (int64_t pixel = 0; pixel < l.width; ++pixel, x += 2 * l.step, table += 4 * row_floats) {
    repeat<4>([&](auto place) __attribute__((always_inline)) {
      const float* from = x + place / 2 * below + place % 2 * l.step;
      repeat<row_vectors>([&](auto v) __attribute__((always_inline)) {
        Floats row = pieces.ends[v];
        for (int64_t p = 0; p < count; ++p) row = load_into(row, from + pieces.offset[v][p], pieces.mask[v][p]);
        store(table + place * row_floats + v * lanes, row);
      });
    });
  }
}

// The same where a vector of the table comes from two rows of taps at most, and both columns' windows from one vector of each.
struct Picks {
  explicit Picks(const Layout& l) {
    const int64_t tap_row = l.a.windows.dilation[0] * l.pitch;
    for (int v = 0; v < row_vectors; ++v) {
      const int64_t count = larger(0, smaller(lanes, l.elements - v * lanes)), row = count > 0 ? v * lanes / l.run : 0;
      if (count > 0 && (v * lanes + count - 1) / l.run > row + 1) possible = false;
      inside[v] = first(count);
      upper[v] = row * tap_row;
      lower[v] = smaller(row + 1, l.a.windows.kernel[0] - 1) * tap_row;
      for (int column = 0; column < 2; ++column) {
        int32_t from[lanes] = {};
        for (int64_t i = 0; i < count; ++i) {
          const int64_t element = v * lanes + i;
          from[i] = static_cast<int32_t>((element / l.run - row) * lanes + element % l.run + column * l.step);
        }
        lane[column][v] = lane_numbers(from);
      }
    }
    possible = possible && l.run + l.step <= lanes;
  }

  bool possible = true;
  Mask inside[row_vectors];  // what is not the bias's
  int64_t upper[row_vectors], lower[row_vectors];
  LaneNumbers lane[2][row_vectors];
};

void fill_table_by_picks(const Layout& l, const Pieces& pieces, const Picks& picks, const float* x, float* table) {
  const int64_t below = l.a.windows.stride[0] * l.pitch;
  for (int64_t pixel = 0; pixel < l.width; ++pixel, x += 2 * l.step, table += 4 * row_floats) {
    repeat<2>([&](auto row) __attribute__((always_inline)) {
      repeat<row_vectors>([&](auto v) __attribute__((always_inline)) {
        const Floats upper = load(x + row * below + picks.upper[v]), lower = load(x + row * below + picks.lower[v]);
        repeat<2>([&](auto column) __attribute__((always_inline)) {
          const Floats window = select(picks.inside[v], pick(upper, lower, picks.lane[column][v]), pieces.ends[v]);
          store(table + (2 * row + column) * row_floats + v * lanes, window);
        });
      });
    });
  }
}

// Gradients that ReLU lets through, and which of their pixel's windows they belong to; (pooled pixels, filters).
void fill_gradients(const Layout& l, int64_t pooled_row, float* gradient, uint8_t* place) {
  const nnrun_conv2d_maxpool_backward_weights_f32& a = l.a;
  int64_t from = pooled_row * l.width * a.filters;
  for (int64_t pixel = 0; pixel < l.width; ++pixel, from += a.filters, gradient += l.filters, place += l.filters) {
    for (int64_t f = 0; f < l.filters; f += lanes) {
      const int64_t count = larger(0, smaller(lanes, a.filters - f));
      // The next row's will have come by then: here it would be waited for.
      __builtin_prefetch(a.dy + from + f + l.width * a.filters, 0, 2);
      if (f % (4 * lanes) == 0) __builtin_prefetch(a.argmax + from + f + l.width * a.filters, 0, 2);
      const Floats which = from_bytes(a.argmax + from + f, count);
      const Mask alive = greater(all(4.0f), which);
      store(gradient + f, select(alive, load(a.dy + from + f, first(count)), zero()));
      to_bytes(place + f, select(alive, which, zero()), lanes);
    }
  }
}

void add_block(const Layout& l, const float* table, const float* gradient, const uint8_t* place, float* sums) {
  Floats sum[block_filters][row_vectors];
  repeat<block_filters>([&](auto f) __attribute__((always_inline)) {
    repeat<row_vectors>([&](auto v) __attribute__((always_inline)) { sum[f][v] = load(sums + f * row_floats + v * lanes); });
  });
  for (int64_t pixel = 0; pixel < l.width; ++pixel, gradient += l.filters, place += l.filters, table += 4 * row_floats) {
    // All places in one load: small loads among those of vectors are slow.
    uint64_t places = 0;
    __builtin_memcpy(&places, place, block_filters);
    repeat<block_filters>([&](auto f) __attribute__((always_inline)) {
      const float* window = table + (places >> (8 * f) & 3) * row_floats;
      asm("" : "+r"(window));
      const Floats g = all(gradient[f]);
      repeat<row_vectors>([&](auto v) __attribute__((always_inline)) { sum[f][v] = fma(g, load(window + v * lanes), sum[f][v]); });
    });
  }
  repeat<block_filters>([&](auto f) __attribute__((always_inline)) {
    repeat<row_vectors>([&](auto v) __attribute__((always_inline)) { store(sums + f * row_floats + v * lanes, sum[f][v]); });
  });
}

void sum_slice(const Layout& l, int64_t slice, float* sums) {
  float* x = sums + l.sums;
  float* table = x + l.x_floats;
  float* gradient = table + l.table;
  auto* place = reinterpret_cast<uint8_t*>(gradient + l.gradients);
  fill_with_zeros(sums, l.sums);
  fill_with_zeros(x, l.x_floats);
  const Pieces pieces(l);
  const Picks picks(l);
  const auto fill = pieces.most <= 2 ? fill_table<2> : fill_table<0>;
  const int64_t begin = l.a.windows.batch * slice / l.slices, end = l.a.windows.batch * (slice + 1) / l.slices;
  for (int64_t picture = begin; picture < end; ++picture) {
    for (int64_t pooled = 0; pooled < l.height; ++pooled) {
      l.copy(picture, {pooled, pooled + 1}, x);
      if (pooled + 1 < l.height) l.fetch(picture, {pooled + 1, pooled + 2});
      if (picks.possible) {
        fill_table_by_picks(l, pieces, picks, x, table);
      } else {
        fill(l, pieces, x, table);
      }
      fill_gradients(l, picture * l.height + pooled, gradient, place);
      for (int64_t f = 0; f < l.filters; f += block_filters) add_block(l, table, gradient + f, place + f, sums + f * row_floats);
    }
  }
}

void reduce(const Layout& l, const float* sums) {
  const nnrun_conv2d_maxpool_backward_weights_f32& a = l.a;
  for (int64_t f = 0; f < a.filters; ++f) {
    for (int64_t e = 0; e <= l.elements; ++e) {
      float sum = sums[f * row_floats + e];
      for (int64_t slice = 1; slice < l.slices; ++slice) sum += sums[slice * l.slice_floats + f * row_floats + e];
      if (e < l.elements) {
        a.dweights[f * l.elements + e] = sum;
      } else if (a.has_bias) {
        a.dbias[f] = sum;
      }
    }
  }
}

}  // namespace

bool conv2d_maxpool_backward_weights_f32_few_channels_supports(const nnrun_conv2d_maxpool_backward_weights_f32& a) {
  return a.groups == 1 && a.windows.dilation[1] == 1 && Layout(a).elements < row_floats;
}

void conv2d_maxpool_backward_weights_f32_few_channels_work(const nnrun_conv2d_maxpool_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.slices;
  work.batch_phase = 1;
  work.ranges[1] = 1;
  work.workspace = static_cast<size_t>(l.slices * l.slice_floats) * sizeof(float);
}

void conv2d_maxpool_backward_weights_f32_few_channels_run(const nnrun_conv2d_maxpool_backward_weights_f32& a, void* workspace,
                                                          uint32_t phase, int64_t range) {
  const Layout l(a);
  float* sums = static_cast<float*>(workspace);
  if (phase == 0) {
    sum_slice(l, range, sums + range * l.slice_floats);
  } else {
    reduce(l, sums);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
