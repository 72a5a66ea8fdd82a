// The gradient of weights through Winograd's F(4 x 4, 3 x 3), with the terms of winograd.hpp: y = A' [ (G w G') * (B' x B) ] A is
// linear in w, so
//     dw = G' [ (B' x B) * (A dy A') ] G,
// summed over all tiles: 36 products (filters, tiles) (tiles, channels).
//
// Phase 1: a range has a slice of the tiles and some blocks of the filters and channels, so small that the sums of a block's 36
// products stay in the L2 cache along with the transforms of some tiles. Phase 2 adds the slices' sums in order, and transforms
// them back.
#include "../common/windows.hpp"
#include "advance.hpp"
#include "conv2d_weights.hpp"
#include "outer_products.hpp"
#include "turns.hpp"
#include "winograd.hpp"
#include "winograd_transforms.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t wanted_ranges = 8;  // enough to balance two to eight threads
constexpr int64_t least_tiles = 64;   // of a slice, or adding the slices up would take a good part of the time
constexpr int64_t most_block_channels = 32, most_block_filters = 64;
constexpr int64_t transforms_floats = 108 * 1024, most_block_tiles = 96;
constexpr int64_t filters_to_reduce = 8;  // in a range of phase 2
constexpr int64_t sum_position = 7;       // of A dy A': the sum of a tile's dy

constexpr int64_t round_up(int64_t x) { return ceil_divide(x, lanes) * lanes; }

struct Layout {
  explicit Layout(const nnrun_conv2d_backward_weights_f32& a) : w(a.windows) {
    channel_blocks = ceil_divide(a.channels, most_block_channels);
    filter_blocks = ceil_divide(a.filters, most_block_filters);
    channels = round_up(ceil_divide(a.channels, channel_blocks));
    filters = round_up(ceil_divide(a.filters, filter_blocks));
    blocks = channel_blocks * filter_blocks;
    for (int axis = 0; axis < 2; ++axis) tiles[axis] = ceil_divide(w.output[axis], winograd_outputs);
    all_tiles = w.batch * tiles[0] * tiles[1];
    fewest_slices = larger(1, smaller(ceil_divide(wanted_ranges, blocks), all_tiles / least_tiles));
    slices = most_slices();
    while (slices > fewest_slices && w.batch % slices != 0) --slices;
    block_ranges = smaller(blocks, wanted_ranges);
    block_tiles = smaller(most_block_tiles, transforms_floats / (winograd_positions * (channels + filters)));
    // Positions a little more than their tiles apart: at a power of two they would share a few places of the cache.
    x_position = block_tiles * channels + lanes;
    dy_position = block_tiles * filters + lanes;
    sum_floats = filters * channels + lanes;
    block_sums = winograd_positions * sum_floats + filters;  // the bias's behind
    range_transforms = winograd_positions * (x_position + dy_position);
  }
  // Of whole pictures. With many tiles each, adding up more of them costs little, and the batch can go through in more slices.
  int64_t most_slices() const {
    constexpr int64_t most = 32, many_tiles = 512;
    return blocks > 1 ? fewest_slices : larger(fewest_slices, smaller(most, all_tiles / many_tiles));
  }
  int64_t ranges() const { return slices * block_ranges; }
  int64_t buffers() const { return smaller(most_slices() * block_ranges, most_turns); }  // of transforms
  // Neither falls with the batch.
  int64_t sums_floats() const { return most_slices() * blocks * block_sums; }
  int64_t floats() const { return sums_floats() + buffers() * range_transforms; }

  const nnrun_windows& w;
  int64_t channel_blocks, filter_blocks, blocks, block_ranges;
  int64_t channels, filters;  // of a block, whole vectors
  int64_t tiles[2], all_tiles, slices, fewest_slices, block_tiles;
  int64_t x_position, dy_position, sum_floats;
  int64_t block_sums, range_transforms;
};

struct TilePlace {
  int64_t picture, row, column;  // of dy's first pixel
};

TilePlace place_of(const Layout& l, int64_t tile) {
  return {tile / l.tiles[1] / l.tiles[0], tile / l.tiles[1] % l.tiles[0] * winograd_outputs, tile % l.tiles[1] * winograd_outputs};
}

// A square of a picture that may lie partly outside of it.
struct Square {
  Square(const float* picture, const int64_t (&size)[2], int64_t all_channels, int64_t row, int64_t column, int64_t side)
      : origin(picture + (row * size[1] + column) * all_channels),
        row_stride(size[1] * all_channels),
        pixel(all_channels),
        rows{larger(0, -row), smaller(side, size[0] - row)},
        columns{larger(0, -column), smaller(side, size[1] - column)},
        inside(rows.size() == side && columns.size() == side) {}

  const float* at(int64_t row, int64_t column) const { return origin + row * row_stride + column * pixel; }
  bool holds(int64_t row, int64_t column) const {
    return row >= rows.begin && row < rows.end && column >= columns.begin && column < columns.end;
  }

  const float* origin;
  int64_t row_stride, pixel;
  Slice rows, columns;
  bool inside;
};

Square x_of(const nnrun_conv2d_backward_weights_f32& a, const TilePlace& p) {
  return {a.x + p.picture * a.windows.input[0] * a.windows.input[1] * a.channels,
          a.windows.input,
          a.channels,
          p.row - a.windows.padding[0],
          p.column - a.windows.padding[1],
          winograd_tile};
}

Square dy_of(const nnrun_conv2d_backward_weights_f32& a, const TilePlace& p) {
  return {a.dy + p.picture * a.windows.output[0] * a.windows.output[1] * a.filters,
          a.windows.output,
          a.filters,
          p.row,
          p.column,
          winograd_outputs};
}

// A dy A': as transform_source_tile().
template <class At, class Put>
__attribute__((always_inline)) inline void transform_gradient_tile(At at, Put put) {
  Floats columns[6][4];
  repeat<4>([&](auto x) __attribute__((always_inline)) {
    Floats from[4], t[6];
    repeat<4>([&](auto y) __attribute__((always_inline)) { from[y] = at(y, x); });
    transform_target_gradient(from, t);
    repeat<6>([&](auto y) __attribute__((always_inline)) { columns[y][x] = t[y]; });
  });
  repeat<6>([&](auto y) __attribute__((always_inline)) {
    Floats t[6];
    transform_target_gradient(columns[y], t);
    repeat<6>([&](auto x) __attribute__((always_inline)) { put(y * 6 + x, t[x]); });
  });
}

// transform(at, put) for all vectors of channels: at(y, x) is a vector of the square's pixel, put(position, vector) writes to `to`.
// The transforms ask column by column, and put in order: steps serve instead of 36 addresses, most of which would be on the stack.
template <int side, class Transform>
__attribute__((always_inline)) inline void transform_square(const Square& s, Slice channels, float* to, int64_t position_floats,
                                                            Transform transform) {
  for (int64_t c = channels.begin; c < channels.end; c += lanes, to += lanes) {
    float* position = to;
    const auto put = [&](int64_t, Floats v) __attribute__((always_inline)) {
      store(position, v);
      advance(position, position_floats);
    };
    prefetch_tile_to_the_right<side>(s.at(0, 0) + c, s.row_stride, s.pixel);
    if (s.inside && c + lanes <= channels.end) {
      const float* column = s.at(0, 0) + c;
      const float* pixel = column;
      transform(
          [&](auto y, auto) __attribute__((always_inline)) {
            if constexpr (y == 0) {
              pixel = column;
              advance(column, s.pixel);
            }
            const Floats x = load(pixel);
            advance(pixel, s.row_stride);
            return x;
          },
          put);
    } else {
      const Mask mask = first(smaller(lanes, channels.end - c));
      transform(
          [&](int64_t y, int64_t x) __attribute__((always_inline)) { return s.holds(y, x) ? load(s.at(y, x) + c, mask) : zero(); }, put);
    }
  }
}

void transform_block(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, Slice tiles, Slice channels, Slice filters, float* x,
                     float* dy) {
  for (int64_t tile = tiles.begin; tile < tiles.end; ++tile, x += l.channels, dy += l.filters) {
    const TilePlace p = place_of(l, tile);
    transform_square<winograd_tile>(
        x_of(a, p), channels, x, l.x_position, [](auto at, auto put) __attribute__((always_inline)) { transform_source_tile(at, put); });
    transform_square<winograd_outputs>(
        dy_of(a, p), filters, dy, l.dy_position,
        [](auto at, auto put) __attribute__((always_inline)) { transform_gradient_tile(at, put); });
  }
}

void sum_block(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, Slice tiles, Slice channels, Slice filters, float* sums,
               float* x) {
  float* dy = x + winograd_positions * l.x_position;
  for (Slice block = {tiles.begin, tiles.begin}; block.begin < tiles.end; block.begin = block.end) {
    block.end = smaller(tiles.end, block.begin + l.block_tiles);
    const bool accumulate = block.begin > tiles.begin;
    transform_block(a, l, block, channels, filters, x, dy);
    for (int64_t position = 0; position < winograd_positions; ++position) {
      OuterProducts o = {};
      o.rows = filters.size(), o.columns = channels.size(), o.depth = block.size();
      o.a = dy + position * l.dy_position, o.a_stride = l.filters;
      o.b = x + position * l.x_position, o.b_stride = l.channels;
      o.c = sums + position * l.sum_floats, o.c_stride = l.channels;
      o.accumulate = accumulate;
      add_outer_products(o);
    }
    const PixelBlock totals = {1, block.size(), nullptr, 0, 0, dy + sum_position * l.dy_position, 0, l.filters};
    if (a.has_bias && channels.begin == 0) sum_pixels(totals, filters.size(), sums + winograd_positions * l.sum_floats, accumulate);
  }
}

// The sum of all slices at `at`.
Floats sum_of_slices(const Layout& l, const float* at, Mask mask) {
  Floats sum = load(at, mask);
  for (int64_t slice = 1; slice < l.slices; ++slice) sum = add(sum, load(at + slice * l.blocks * l.block_sums, mask));
  return sum;
}

// A few filters of a block; `sums` are the block's.
void reduce(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, const float* sums, Slice channels, Slice filters, Slice some) {
  for (int64_t filter = some.begin; filter < some.end; ++filter) {
    float* to = a.dweights + (filters.begin + filter) * 9 * a.channels;
    for (int64_t c = channels.begin; c < channels.end; c += lanes) {
      const Mask mask = first(smaller(lanes, channels.end - c));
      const float* from = sums + filter * l.channels + c - channels.begin;
      Floats rows[3][6];
      repeat<6>([&](auto x) __attribute__((always_inline)) {
        Floats m[6], t[3];
        repeat<6>([&](auto y) __attribute__((always_inline)) { m[y] = sum_of_slices(l, from + (y * 6 + x) * l.sum_floats, mask); });
        transform_weights_gradient(m, t);
        repeat<3>([&](auto y) __attribute__((always_inline)) { rows[y][x] = t[y]; });
      });
      repeat<3>([&](auto y) __attribute__((always_inline)) {
        Floats t[3];
        transform_weights_gradient(rows[y], t);
        repeat<3>([&](auto x) __attribute__((always_inline)) { store(to + (y * 3 + x) * a.channels + c, t[x], mask); });
      });
    }
  }
  if (!a.has_bias || channels.begin > 0) return;
  const float* bias = sums + winograd_positions * l.sum_floats;
  for (int64_t f = some.begin; f < some.end; f += lanes) {
    const Mask mask = first(smaller(lanes, some.end - f));
    store(a.dbias + filters.begin + f, sum_of_slices(l, bias + f, mask), mask);
  }
}

}  // namespace

bool conv2d_backward_weights_f32_winograd_supports(const nnrun_conv2d_backward_weights_f32& a) {
  if (!winograd_supports(a.windows, a.channels, a.filters, a.groups)) return false;
  // The transform of the sums against the products that are saved, as winograd_supports() has it; it is dearer where the sums are
  // too many for the L2 cache.
  const bool in_cache = a.channels * a.filters <= 8192;
  const int64_t transform = in_cache ? 33 : 150, tile = in_cache ? 5 : 8;
  return a.windows.batch * a.windows.output[0] * a.windows.output[1] > transform + tile * Layout(a).all_tiles;
}

void conv2d_backward_weights_f32_winograd_work(const nnrun_conv2d_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 3;
  work.ranges[0] = 1;
  work.ranges[1] = l.ranges();
  work.batch_phase = l.block_ranges == 1 ? 2 : 0;
  work.ranges[2] = l.blocks * ceil_divide(l.filters, filters_to_reduce);
  work.workspace = turns_bytes + static_cast<size_t>(l.floats()) * sizeof(float);
}

void conv2d_backward_weights_f32_winograd_run(const nnrun_conv2d_backward_weights_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const Layout l(a);
  auto* taken = static_cast<uint8_t*>(workspace);
  auto* sums = reinterpret_cast<float*>(taken + turns_bytes);
  const auto channels_of = [&](int64_t block) { return slice_of(a.channels, l.channels, block % l.channel_blocks); };
  const auto filters_of = [&](int64_t block) { return slice_of(a.filters, l.filters, block / l.channel_blocks); };
  if (phase == 0) {
    begin_turns(taken);
  } else if (phase == 1) {
    const Turn turn(taken, l.buffers());
    const int64_t slice = range / l.block_ranges, part = range % l.block_ranges;
    const Slice tiles = {l.all_tiles * slice / l.slices, l.all_tiles * (slice + 1) / l.slices};
    float* transforms = sums + l.sums_floats() + turn.buffer() * l.range_transforms;
    for (int64_t block = l.blocks * part / l.block_ranges; block < l.blocks * (part + 1) / l.block_ranges; ++block)
      sum_block(a, l, tiles, channels_of(block), filters_of(block), sums + (slice * l.blocks + block) * l.block_sums, transforms);
  } else {
    const int64_t pieces = ceil_divide(l.filters, filters_to_reduce), block = range / pieces;
    const Slice filters = filters_of(block);
    reduce(a, l, sums + block * l.block_sums, channels_of(block), filters, slice_of(filters.size(), filters_to_reduce, range % pieces));
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
