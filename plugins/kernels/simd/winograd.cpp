// Phase 0 transforms the weights: for each of the 36 positions, a matrix (source channels, target channels), in panels. Phase 1 walks
// over the tiles in blocks: transforms the source, multiplies, and transforms back.
#include "winograd.hpp"

#include <winograd_products.hpp>

#include "../common/windows.hpp"
#include "pool_2x2.hpp"
#include "prefetch.hpp"
#include "strips.hpp"
#include "turns.hpp"
#include "winograd_transforms.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t block_tiles = 24;  // their transforms, for 64 channels, stay in the L2 cache along with a panel of weights
constexpr int64_t most_ranges = 16, fewest_slices = 8, most_slices = 64;
constexpr int64_t weights_channels = 64;  // source channels in a range of phase 0

struct Layout {
  explicit Layout(const Winograd& w) {
    const int64_t vectors = ceil_divide(w.target_channels, lanes);
    width = ceil_divide(vectors, ceil_divide(vectors, conv_tile_vectors)) * lanes;
    panels = ceil_divide(w.target_channels, width);
    depth = ceil_divide(w.source_channels, lanes) * lanes;
    for (int axis = 0; axis < 2; ++axis) {
      // A pool leaves out a last odd row or column.
      const int64_t size = w.pool ? w.target_size[axis] / 2 * 2 : w.target_size[axis];
      tiles[axis] = ceil_divide(size, winograd_outputs);
    }
    all_tiles = w.batch * tiles[0] * tiles[1];
    ranges = ranges_of(w.batch);
    // Positions a little more than their matrices apart: at a power of two they would share a few places of the cache.
    constexpr int64_t apart = cache_line / static_cast<int64_t>(sizeof(Operand));
    weights_position = panels * depth * width + apart;
    source_position = block_tiles * depth + apart;
    product_position = block_tiles * width + lanes;
  }

  // Source channel `channel`, a multiple of operands_together.
  int64_t weights(int64_t position, int64_t panel, int64_t channel) const {
    return position * weights_position + (panel * depth + channel) * width;
  }
  int64_t weight_bytes() const { return winograd_positions * weights_position * static_cast<int64_t>(sizeof(Operand)); }
  int64_t source_bytes() const { return winograd_positions * source_position * static_cast<int64_t>(sizeof(Operand)); }
  int64_t range_bytes() const { return source_bytes() + winograd_positions * product_position * static_cast<int64_t>(sizeof(float)); }
  // Of a block's transforms, each; never fewer for a larger batch.
  int64_t buffers() const { return smaller(ceil_divide(all_tiles, block_tiles), most_turns); }
  int64_t bytes() const { return weight_bytes() + turns_bytes + buffers() * range_bytes(); }

  // Where ranges of some whole pictures have tiles enough, as many as that gives: the batch can then go through in so many slices.
  int64_t ranges_of(int64_t batch) const {
    for (int64_t slices = smaller(most_slices, all_tiles / (2 * block_tiles)); slices >= fewest_slices; --slices) {
      if (batch % slices == 0) return slices;
    }
    return smaller(most_ranges, ceil_divide(all_tiles, block_tiles));
  }

  int64_t width, panels, depth;
  int64_t tiles[2], all_tiles, ranges;
  int64_t weights_position, source_position, product_position;  // operands, floats from a position to the next
};

// `lanes` of the target's channels, some of the source's.
void transform_weights_block(const Winograd& w, const Layout& l, Operand* to, int64_t target, Slice sources) {
  const int64_t panel = target / l.width, column = target % l.width;
  const int64_t targets = larger(0, smaller(lanes, w.target_channels - target));
  for (int64_t source = sources.begin; source < sources.end; source += lanes) {
    const int64_t count = smaller(lanes, w.source_channels - source);
    Floats tap[9][lanes];  // of each source channel, for `lanes` target channels
    for (int64_t t = 0; t < 9; ++t) {
      if (w.backward) {
        for (int64_t s = 0; s < lanes; ++s)
          tap[t][s] = s < count ? load(w.weights + ((source + s) * 9 + 8 - t) * w.target_channels + target, first(targets)) : zero();
      } else {
        for (int64_t n = 0; n < lanes; ++n)
          tap[t][n] = n < targets ? load(w.weights + ((target + n) * 9 + t) * w.source_channels + source, first(count)) : zero();
        transpose(tap[t]);
      }
    }
    for (int64_t s = 0; s < count; s += operands_together) {
      Floats columns[operands_together][6][3];
      for (int64_t together = 0; together < operands_together; ++together) {
        for (int64_t x = 0; x < 3; ++x) {
          Floats t[6];
          transform_weights(tap[x][s + together], tap[3 + x][s + together], tap[6 + x][s + together], t);
          for (int64_t y = 0; y < 6; ++y) columns[together][y][x] = t[y];
        }
      }
      for (int64_t y = 0; y < 6; ++y) {
        Floats t[operands_together][6];
        for (int64_t together = 0; together < operands_together; ++together)
          transform_weights(columns[together][y][0], columns[together][y][1], columns[together][y][2], t[together]);
        for (int64_t x = 0; x < 6; ++x) {
          Floats weights[operands_together];
          for (int64_t together = 0; together < operands_together; ++together) weights[together] = t[together][x];
          store_weights(to + l.weights(y * 6 + x, panel, source + s) + column * operands_together, weights);
        }
      }
    }
  }
}

struct TilePlace {
  int64_t picture, row, column;  // of the target's first pixel
};

TilePlace place_of(const Layout& l, int64_t tile) {
  return {tile / l.tiles[1] / l.tiles[0], tile / l.tiles[1] % l.tiles[0] * winograd_outputs, tile % l.tiles[1] * winograd_outputs};
}

void transform_source_block(const Winograd& w, const Layout& l, Slice tiles, Operand* to) {
  const int64_t row_stride = w.source_size[1] * w.source_channels;
  for (int64_t tile = tiles.begin; tile < tiles.end; ++tile, to += l.depth) {
    const TilePlace p = place_of(l, tile);
    const int64_t row = p.row - w.padding[0], column = p.column - w.padding[1];
    const Slice rows = {larger(0, -row), smaller(6, w.source_size[0] - row)};
    const Slice columns = {larger(0, -column), smaller(6, w.source_size[1] - column)};
    const bool inside = rows.begin == 0 && rows.end == 6 && columns.begin == 0 && columns.end == 6;
    const int64_t origin = ((p.picture * w.source_size[0] + row) * w.source_size[1] + column) * w.source_channels;
    for (int64_t c = 0; c < w.source_channels; c += lanes) {
      const Mask mask = first(smaller(lanes, w.source_channels - c));
      const float* from = w.source + (origin + c);
      const auto put = [&](int64_t position, Floats x) __attribute__((always_inline)) {
        store_operands(to + c + position * l.source_position, x);
      };
      if (tile + 1 < tiles.end) prefetch_tile_to_the_right(from, row_stride, w.source_channels);
      if (inside && c + lanes <= w.source_channels) {
        transform_source_tile(
            [&](int64_t y, int64_t x) __attribute__((always_inline)) { return load(from + y * row_stride + x * w.source_channels); }, put);
      } else {
        transform_source_tile(
            [&](int64_t y, int64_t x) __attribute__((always_inline)) {
              const bool there = y >= rows.begin && y < rows.end && x >= columns.begin && x < columns.end;
              return there ? load(from + y * row_stride + x * w.source_channels, mask) : zero();
            },
            put);
      }
    }
  }
}

void multiply_block(const Winograd& w, const Layout& l, int64_t tiles, int64_t panel, const Operand* weights, const Operand* sources,
                    float* products) {
  const int64_t groups = ceil_divide(tiles, product_rows);
  int64_t begin[ceil_divide(block_tiles, product_rows) + 1];
  for (int64_t group = 0; group <= groups; ++group) begin[group] = tiles * group / groups;
  Products multiply(l.width, l.depth, w.source_channels);
  for (int64_t position = 0; position < winograd_positions; ++position) {
    const Operand* position_weights = weights + l.weights(position, panel, 0);
    // Each group fetches the next position's weights.
    const Operand* next_weights = weights + l.weights(smaller(position + 1, winograd_positions - 1), panel, 0);
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t first = begin[group];
      multiply(begin[group + 1] - first, sources + position * l.source_position + first * l.depth, position_weights, next_weights,
               products + position * l.product_position + first * l.width);
    }
  }
}

// 4 x 4 results of a vector of channels, not biased yet.
__attribute__((always_inline)) inline void transform_back(const float* products, int64_t position, Floats (&y)[4][4]) {
  Floats rows[4][6];
  repeat<6>([&](auto x) __attribute__((always_inline)) {
    Floats m[6], t[4];
    repeat<6>([&](auto i) __attribute__((always_inline)) { m[i] = load(products + (i * 6 + x) * position); });
    transform_target(m, t);
    repeat<4>([&](auto i) __attribute__((always_inline)) { rows[i][x] = t[i]; });
  });
  repeat<4>([&](auto i) __attribute__((always_inline)) { transform_target(rows[i], y[i]); });
}

template <bool relu>
void finish_block(const Winograd& w, const Layout& l, Slice tiles, int64_t panel, const float* products) {
  const Slice channels = slice_of(w.target_channels, l.width, panel);
  for (int64_t tile = tiles.begin; tile < tiles.end; ++tile, products += l.width) {
    const TilePlace p = place_of(l, tile);
    const int64_t rows = smaller(4, w.target_size[0] - p.row), columns = smaller(4, w.target_size[1] - p.column);
    float* to = w.target + ((p.picture * w.target_size[0] + p.row) * w.target_size[1] + p.column) * w.target_channels;
    for (int64_t c = channels.begin; c < channels.end; c += lanes) {
      const Mask mask = first(smaller(lanes, channels.end - c));
      const Floats bias = w.bias ? load(w.bias + c, mask) : zero();
      Floats y[4][4];
      transform_back(products + (c - channels.begin), l.product_position, y);
      repeat<4>([&](auto i) __attribute__((always_inline)) {
        repeat<4>([&](auto j) __attribute__((always_inline)) {
          Floats result = add(y[i][j], bias);
          if constexpr (relu) result = maximum(zero(), result);
          float* result_to = to + (i * w.target_size[1] + j) * w.target_channels + c;
          __builtin_prefetch(result_to + winograd_outputs * w.target_channels, 1);  // the next tile's
          if (i < rows && j < columns) store(result_to, result, mask);
        });
      });
    }
  }
}

template <bool relu>
void pool_block(const Winograd& w, const Layout& l, Slice tiles, int64_t panel, const float* products) {
  const Slice channels = slice_of(w.target_channels, l.width, panel);
  const int64_t height = w.target_size[0] / 2, width = w.target_size[1] / 2;
  for (int64_t tile = tiles.begin; tile < tiles.end; ++tile, products += l.width) {
    const TilePlace p = place_of(l, tile);
    const int64_t rows = smaller(2, height - p.row / 2), columns = smaller(2, width - p.column / 2);
    const int64_t origin = ((p.picture * height + p.row / 2) * width + p.column / 2) * w.target_channels;
    for (int64_t c = channels.begin; c < channels.end; c += lanes) {
      const int64_t count = smaller(lanes, channels.end - c);
      const Mask mask = first(count);
      const Floats bias = w.bias ? load(w.bias + c, mask) : zero();
      Floats y[4][4];
      transform_back(products + (c - channels.begin), l.product_position, y);
      repeat<2>([&](auto i) __attribute__((always_inline)) {
        repeat<2>([&](auto j) __attribute__((always_inline)) {
          const Pooled pooled =
              largest_of_four<relu>(y[2 * i][2 * j], y[2 * i][2 * j + 1], y[2 * i + 1][2 * j], y[2 * i + 1][2 * j + 1], bias);
          if (i >= rows || j >= columns) return;
          const int64_t at = origin + (i * width + j) * w.target_channels + c, next = at + winograd_outputs / 2 * w.target_channels;
          __builtin_prefetch(w.target + next, 1);
          if (w.argmax) __builtin_prefetch(w.argmax + next, 1);
          store(w.target + at, pooled.y, mask);
          if (w.argmax) to_bytes(w.argmax + at, pooled.argmax, count);
        });
      });
    }
  }
}

}  // namespace

bool winograd_supports(const nnrun_windows& windows, int64_t channels, int64_t filters, int64_t groups) {
  for (int axis = 0; axis < 2; ++axis) {
    if (windows.kernel[axis] != 3 || windows.stride[axis] != 1 || windows.dilation[axis] != 1 || windows.padding[axis] > 2) return false;
  }
  // Below that the transforms cost more than the products save.
  constexpr int64_t fewest_channels = 16, fewest_pixels = 4;
  if (groups != 1 || channels < fewest_channels || filters < fewest_channels) return false;
  if (windows.output[0] < fewest_pixels || windows.output[1] < fewest_pixels) return false;
  // Transformed weights that the L2 cache cannot hold are written to memory and read again: for a few pixels that takes longer than
  // their direct products. Counted for each weight of a filter's channel, in units of a pixel's.
  constexpr int64_t weights_in_cache = 8192, transform = 300, tile = 5;
  if (channels * filters <= weights_in_cache) return true;
  const int64_t tiles = ceil_divide(windows.output[0], winograd_outputs) * ceil_divide(windows.output[1], winograd_outputs);
  return windows.batch * (windows.output[0] * windows.output[1] - tile * tiles) > transform;
}

void winograd_work(const Winograd& w, nnrun_work& work) {
  const Layout l(w);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.panels * (l.width / lanes) * ceil_divide(w.source_channels, weights_channels);
  work.ranges[1] = l.ranges;
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(l.bytes());
}

void winograd_run(const Winograd& w, void* workspace, uint32_t phase, int64_t range) {
  const Layout l(w);
  auto* weights = static_cast<Operand*>(workspace);
  char* behind_weights = static_cast<char*>(workspace) + l.weight_bytes();
  auto* taken = reinterpret_cast<uint8_t*>(behind_weights);
  if (phase == 0) {
    if (range == 0) begin_turns(taken);
    const int64_t targets = l.panels * (l.width / lanes);
    transform_weights_block(w, l, weights, range % targets * lanes, slice_of(w.source_channels, weights_channels, range / targets));
    return;
  }
  const Turn turn(taken, l.buffers());
  char* own = behind_weights + turns_bytes + turn.buffer() * l.range_bytes();
  auto* sources = reinterpret_cast<Operand*>(own);
  auto* products = reinterpret_cast<float*>(own + l.source_bytes());
  const auto finish = w.pool ? w.relu ? pool_block<true> : pool_block<false> : w.relu ? finish_block<true> : finish_block<false>;
  const int64_t begin = l.all_tiles * range / l.ranges, end = l.all_tiles * (range + 1) / l.ranges;
  for (Slice tiles = {begin, begin}; tiles.begin < end; tiles.begin = tiles.end) {
    tiles.end = smaller(end, tiles.begin + block_tiles);
    transform_source_block(w, l, tiles, sources);
    for (int64_t panel = 0; panel < l.panels; ++panel) {
      multiply_block(w, l, tiles.size(), panel, weights, sources, products);
      finish(w, l, tiles, panel, products);
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
