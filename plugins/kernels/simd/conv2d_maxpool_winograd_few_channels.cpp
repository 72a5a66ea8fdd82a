// Winograd's F(4 x 4, 3 x 3) for pictures with few channels, such as the first layer's three colours, and a 2 x 2 max-pool behind: with so
// short sums, the products of a tile never leave the registers.
//
// Phase 0 transforms the weights, (panels, 36 positions, channels, filters of a panel). In phase 1 a range walks over rows of tiles: it
// transforms the columns of what a row of tiles sees of x, then goes from tile to tile.
#include "kernels.hpp"
#include "padded_band.hpp"
#include "pool_2x2.hpp"
#include "prefetch.hpp"
#include "winograd_transforms.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int vectors = few_channels_vectors;
constexpr int64_t panel_filters = vectors * lanes;
constexpr int64_t source_lanes = 4;  // of a pixel of transformed x
constexpr int64_t most_channels = source_lanes;
constexpr int64_t most_ranges = 32;

constexpr int64_t round_up(int64_t x) { return ceil_divide(x, lanes) * lanes; }

struct Layout {
  explicit Layout(const nnrun_conv2d_maxpool_forward_f32& a) {
    height = a.windows.output[0] / 2;
    width = a.windows.output[1] / 2;
    tile_rows = ceil_divide(height, 2);
    tile_columns = ceil_divide(ceil_divide(width, 2), few_channels_tiles) * few_channels_tiles;
    columns = 4 * tile_columns + 2;
    pitch = round_up(columns * a.channels + source_lanes);  // the last pixel is read with what is behind it
    panels = ceil_divide(a.filters, panel_filters);
    panel_floats = winograd_positions * a.channels * panel_filters;
    rows = a.windows.batch * tile_rows;
    ranges = smaller(most_ranges, rows);
    range_floats = 2 * winograd_tile * pitch;  // x, and x with its columns transformed
  }
  int64_t copies(int64_t range) const { return panels * panel_floats + range * range_floats; }

  int64_t height, width;  // of y
  int64_t tile_rows, tile_columns;
  int64_t columns, pitch;  // of transformed x: pixels, floats from a row to the next
  int64_t panels, panel_floats;
  int64_t rows, ranges, range_floats;
};

void transform_panel(const nnrun_conv2d_maxpool_forward_f32& a, int64_t panel, float* to) {
  for (int64_t v = 0; v < vectors; ++v) {
    const int64_t filter = panel * panel_filters + v * lanes, filters = larger(0, smaller(lanes, a.filters - filter));
    for (int64_t c = 0; c < a.channels; ++c) {
      Floats columns[6][3];
      for (int64_t x = 0; x < 3; ++x) {
        Floats tap[3], t[6];
        for (int64_t y = 0; y < 3; ++y) {
          alignas(64) float weights[lanes] = {};
          for (int64_t f = 0; f < filters; ++f) weights[f] = a.weights[(((filter + f) * 3 + y) * 3 + x) * a.channels + c];
          tap[y] = load(weights);
        }
        transform_weights(tap[0], tap[1], tap[2], t);
        for (int64_t y = 0; y < 6; ++y) columns[y][x] = t[y];
      }
      for (int64_t y = 0; y < 6; ++y) {
        Floats t[6];
        transform_weights(columns[y][0], columns[y][1], columns[y][2], t);
        for (int64_t x = 0; x < 6; ++x) store(to + ((y * 6 + x) * a.channels + c) * panel_filters + v * lanes, t[x]);
      }
    }
  }
}

// (6, pitch): what a row of tiles sees of x, its columns transformed.
void transform_columns(const nnrun_conv2d_maxpool_forward_f32& a, const Layout& l, int64_t picture, int64_t tile_row, float* x) {
  const int64_t floats = l.columns * a.channels;
  for (int64_t row = 0; row < winograd_tile; ++row) {
    copy_padded({a.x + picture * a.windows.input[0] * a.windows.input[1] * a.channels, a.windows.input[0], a.windows.input[1], a.channels,
                 4 * tile_row - a.windows.padding[0] + row, -a.windows.padding[1], 1, l.columns, a.channels},
                x + row * l.pitch);
    fill_with_zeros(x + row * l.pitch + floats, l.pitch - floats);
  }
  const int64_t next = 4 * tile_row - a.windows.padding[0] + winograd_tile, next_end = smaller(next + 4, a.windows.input[0]);
  if (next < next_end) {
    const int64_t row_floats = a.windows.input[1] * a.channels;
    prefetch_floats(a.x + (picture * a.windows.input[0] + next) * row_floats, (next_end - next) * row_floats);
  }
  float* to = x + winograd_tile * l.pitch;
  for (int64_t i = 0; i < l.pitch; i += lanes) {
    Floats from[6], t[6];
    repeat<6>([&](auto row) __attribute__((always_inline)) { from[row] = load(x + row * l.pitch + i); });
    transform_source(from, t);
    repeat<6>([&](auto row) __attribute__((always_inline)) { store(to + row * l.pitch + i, t[row]); });
  }
}

// A row of a tile, transformed: `to` is (6, source_lanes).
__attribute__((always_inline)) inline void transform_row(const float* x, int64_t channels, float* to) {
  FourFloats from[6], t[6];
  repeat<6>([&](auto k) __attribute__((always_inline)) { from[k] = load_four(x + k * channels); });
  transform_source(from, t);
  repeat<6>([&](auto k) __attribute__((always_inline)) { store(to + k * source_lanes, t[k]); });
}

// Where the next few tiles' results will go: a store that misses the L1 cache holds up those behind it.
void prefetch_results(const nnrun_conv2d_maxpool_forward_f32& a, const Layout& l, int64_t picture, int64_t tile_row, int64_t tile,
                      int64_t first_filter) {
  for (int64_t i = 0; i < 2; ++i) {
    const int64_t row = ((picture * l.height + 2 * tile_row + i) * l.width + 2 * tile) * a.filters + first_filter;
    repeat<2 * few_channels_tiles>([&](auto j) __attribute__((always_inline)) {
      repeat<vectors>([&](auto v) __attribute__((always_inline)) { __builtin_prefetch(a.y + row + j * a.filters + v * lanes, 1); });
      if (a.argmax) __builtin_prefetch(a.argmax + row + j * a.filters, 1);
    });
  }
  prefetching_is_an_effect();
}

template <int channels, bool relu>
void compute_tiles(const nnrun_conv2d_maxpool_forward_f32& a, const Layout& l, int64_t picture, int64_t tile_row, int64_t panel,
                   const float* weights, const float* by_columns) {
  constexpr int tiles = few_channels_tiles;
  const int64_t first_filter = panel * panel_filters;
  for (int64_t tile = 0; tile < l.tile_columns; tile += tiles) {
    Floats rows[tiles][vectors][4][6];  // transformed back along rows
    prefetch_results(a, l, picture, tile_row, tile + tiles, first_filter);
    const float* w = weights;
    alignas(64) float sources[6][tiles][6 * source_lanes];
    repeat<6>([&](auto row) __attribute__((always_inline)) {
      repeat<tiles>([&](auto t) __attribute__((always_inline)) {
        transform_row(by_columns + row * l.pitch + 4 * (tile + t) * channels, channels, sources[row][t]);
      });
    });
    for (int64_t row = 0; row < 6; ++row) {
      Floats product[tiles][vectors][6];
      repeat<6>([&](auto k) __attribute__((always_inline)) {
        repeat<channels>([&](auto c) __attribute__((always_inline)) {
          Floats weight[vectors];
          repeat<vectors>([&](auto v) __attribute__((always_inline)) { weight[v] = load(w + v * lanes); });
          w += panel_filters;
          repeat<tiles>([&](auto t) __attribute__((always_inline)) {
            const Floats source = all(sources[row][t][k * source_lanes + c]);
            repeat<vectors>([&](auto v) __attribute__((always_inline)) {
              Floats& p = product[t][v][k];
              p = c == 0 ? multiply(source, weight[v]) : fma(source, weight[v], p);
            });
          });
        });
      });
      repeat<tiles>([&](auto t) __attribute__((always_inline)) {
        repeat<vectors>([&](auto v) __attribute__((always_inline)) {
          Floats y[4];
          transform_target(product[t][v], y);
          repeat<4>([&](auto j) __attribute__((always_inline)) { rows[t][v][j][row] = y[j]; });
        });
      });
    }
    for (int64_t t = 0; t < tiles; ++t) {
      for (int64_t v = 0; v < vectors; ++v) {
        const int64_t filter = first_filter + v * lanes, count = smaller(lanes, a.filters - filter);
        if (count <= 0) break;
        const Mask mask = first(count);
        const Floats bias = a.bias ? load(a.bias + filter, mask) : zero();
        for (int64_t j = 0; j < 2; ++j) {
          Floats left[4], right[4];
          transform_target(rows[t][v][2 * j], left);
          transform_target(rows[t][v][2 * j + 1], right);
          for (int64_t i = 0; i < 2; ++i) {
            const int64_t row = 2 * tile_row + i, column = 2 * (tile + t) + j;
            if (row >= l.height || column >= l.width) continue;
            const Pooled pooled = largest_of_four<relu>(left[2 * i], right[2 * i], left[2 * i + 1], right[2 * i + 1], bias);
            const int64_t at = ((picture * l.height + row) * l.width + column) * a.filters + filter;
            store(a.y + at, pooled.y, mask);
            if (a.argmax) to_bytes(a.argmax + at, pooled.argmax, count);
          }
        }
      }
    }
  }
}

using Compute = void (*)(const nnrun_conv2d_maxpool_forward_f32&, const Layout&, int64_t, int64_t, int64_t, const float*, const float*);

Compute function_of(int64_t channels, bool relu) {
  switch (channels) {
    case 1: return relu ? compute_tiles<1, true> : compute_tiles<1, false>;
    case 2: return relu ? compute_tiles<2, true> : compute_tiles<2, false>;
    case 3: return relu ? compute_tiles<3, true> : compute_tiles<3, false>;
    default: return relu ? compute_tiles<4, true> : compute_tiles<4, false>;
  }
}

}  // namespace

bool conv2d_maxpool_forward_f32_winograd_few_channels_supports(const nnrun_conv2d_maxpool_forward_f32& a) {
  for (int axis = 0; axis < 2; ++axis) {
    if (a.windows.kernel[axis] != 3 || a.windows.stride[axis] != 1 || a.windows.dilation[axis] != 1) return false;
  }
  return a.groups == 1 && a.channels <= most_channels;
}

void conv2d_maxpool_forward_f32_winograd_few_channels_work(const nnrun_conv2d_maxpool_forward_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.panels;
  work.ranges[1] = l.ranges;
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(l.copies(l.ranges)) * sizeof(float);
}

void conv2d_maxpool_forward_f32_winograd_few_channels_run(const nnrun_conv2d_maxpool_forward_f32& a, void* workspace, uint32_t phase,
                                                          int64_t range) {
  const Layout l(a);
  float* weights = static_cast<float*>(workspace);
  if (phase == 0) {
    transform_panel(a, range, weights + range * l.panel_floats);
    return;
  }
  float* x = weights + l.copies(range);
  const Compute compute = function_of(a.channels, a.relu != 0);
  for (int64_t row = l.rows * range / l.ranges; row < l.rows * (range + 1) / l.ranges; ++row) {
    const int64_t picture = row / l.tile_rows, tile_row = row % l.tile_rows;
    transform_columns(a, l, picture, tile_row, x);
    for (int64_t panel = 0; panel < l.panels; ++panel)
      compute(a, l, picture, tile_row, panel, weights + panel * l.panel_floats, x + winograd_tile * l.pitch);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
