// dweights = dy' * x: phase 0 takes slices of the pixels, each into sums of its own; where there are few pixels, the rows of each slice's sums
// are shared out too. Phase 1 adds the slices' sums in order.
//
// Sums are (filters, channels), or transposed where that leaves fewer lanes of vectors idle. What counts is that x and dy pass by once,
// block by block, and that the next block is on its way into the L1 cache meanwhile.
#include "conv2d_matrix_product.hpp"
#include "conv2d_weights.hpp"
#include "gemm.hpp"
#include "prefetch.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t wanted_ranges = 8;   // enough to balance two to eight threads
constexpr int64_t least_pixels = 256;  // of a slice, or adding the slices up would take a good part of the time
constexpr int64_t least_rows = 2 * tall_tile_rows;
constexpr int64_t block_floats = 8 * 1024;                           // of x and dy: 32 KiB
constexpr int64_t least_block_pixels = 32, most_block_pixels = 128;  // or reading and writing sums would take long
constexpr int64_t floats_to_add = 4096;                              // in a range of phase 1

constexpr int64_t round_up(int64_t x) { return ceil_divide(x, lanes) * lanes; }

struct Layout {
  explicit Layout(const nnrun_conv2d_backward_weights_f32& a) {
    pixels = pixels_of(a.windows);
    // A single vector of channels would be a tile that loads more than it multiplies.
    transposed = a.channels * round_up(a.filters) < a.filters * round_up(a.channels) || (a.channels <= lanes && a.filters > lanes);
    rows = transposed ? a.channels : a.filters, columns = transposed ? a.filters : a.channels;
    slices = larger(1, smaller(wanted_ranges, pixels / least_pixels));
    groups = smaller(ceil_divide(wanted_ranges, slices), ceil_divide(rows, least_rows));
    block_pixels = larger(least_block_pixels, smaller(most_block_pixels, block_floats / (rows + columns))) / prefetch_step * prefetch_step;
    slice_floats = round_up(rows * columns) + round_up(a.filters);
  }
  int64_t bias() const { return round_up(rows * columns); }        // where it is in a slice
  int64_t floats() const { return wanted_ranges * slice_floats; }  // never falls with the batch

  int64_t pixels, block_pixels, slices, groups;
  bool transposed;
  int64_t rows, columns;  // of the sums: sums[i][j] is over the products of one tensor's i with the other one's j
  int64_t slice_floats;   // sums, then dbias
};

// Shares of the next block for each tile of this one.
class NextBlock {
 public:
  NextBlock(const float* first, int64_t first_floats, const float* second, int64_t second_floats, int64_t tiles)
      : first_(first),
        second_(second),
        first_lines_(first_floats / line_floats),
        lines_(first_lines_ + second_floats / line_floats),
        tiles_(tiles) {}

  void give(int64_t tile, Tile& t) const {
    const int64_t begin = lines_ * tile / tiles_, count = lines_ * (tile + 1) / tiles_ - begin;
    t.next = begin < first_lines_ ? first_ + begin * line_floats : second_ + (begin - first_lines_) * line_floats;
    t.next_lines = ceil_divide(count, larger(1, t.depth / prefetch_step));
    if (count == 0) t.next = nullptr;
  }

 private:
  const float* first_;
  const float* second_;
  int64_t first_lines_, lines_, tiles_;
};

void sum_slice(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, float* sums, Slice pixels, Slice rows, Slice filters) {
  const float* const by_rows = l.transposed ? a.x : a.dy;
  const float* const by_columns = l.transposed ? a.dy : a.x;
  const int64_t vectors = wide_tile_vectors(l.columns), width = vectors * lanes;
  const int64_t panels = ceil_divide(l.columns, width), row_tiles = ceil_divide(rows.size(), wide_tile_rows(vectors));
  for (int64_t begin = pixels.begin; begin < pixels.end; begin += l.block_pixels) {
    const int64_t end = smaller(pixels.end, begin + l.block_pixels), next = smaller(l.block_pixels, pixels.end - end);
    const NextBlock next_block(by_columns + end * l.columns, next * l.columns, by_rows + end * l.rows, next * l.rows, panels * row_tiles);
    Tile t = {};
    t.a_stride = l.rows;
    t.b_stride = t.c_stride = l.columns;
    t.depth = end - begin;
    t.accumulate = begin > pixels.begin;
    for (int64_t panel = 0; panel < panels; ++panel) {
      const Slice columns = slice_of(l.columns, width, panel);
      t.columns = columns.size();
      t.b = by_columns + begin * l.columns + columns.begin;
      for (int64_t tile = 0; tile < row_tiles; ++tile) {
        const Slice r = {rows.begin + rows.size() * tile / row_tiles, rows.begin + rows.size() * (tile + 1) / row_tiles};
        t.a = by_rows + begin * l.rows + r.begin;
        t.c = sums + r.begin * l.columns + columns.begin;
        next_block.give(panel * row_tiles + tile, t);
        streaming_tile_function(r.size(), ceil_divide(columns.size(), lanes), true)(t);
      }
    }
    if (!a.has_bias) continue;
    const PixelBlock block = {1, end - begin, nullptr, 0, 0, a.dy + begin * a.filters + filters.begin, 0, a.filters};
    sum_pixels(block, filters.size(), sums + l.bias() + filters.begin, t.accumulate);
  }
}

Floats sum_of_slices(const Layout& l, const float* sums, Mask mask) {
  Floats sum = load(sums, mask);
  for (int64_t slice = 1; slice < l.slices; ++slice) sum = add(sum, load(sums + slice * l.slice_floats, mask));
  return sum;
}

void add_slices(const Layout& l, const float* sums, Slice floats, float* to) {
  for (int64_t i = floats.begin; i < floats.end; i += lanes) {
    const Mask mask = first(smaller(lanes, floats.end - i));
    store(to + i, sum_of_slices(l, sums + i, mask), mask);
  }
}

// to[j][i] = sums[i][j], for some columns j.
void add_slices_transposed(const Layout& l, const float* sums, Slice columns, float* to) {
  const Mask mask = first(columns.size());
  for (int64_t i = 0; i < l.rows; i += lanes) {
    const int64_t count = smaller(lanes, l.rows - i);
    Floats x[lanes];
    for (int64_t k = 0; k < lanes; ++k) x[k] = k < count ? sum_of_slices(l, sums + (i + k) * l.columns + columns.begin, mask) : zero();
    transpose(x);
    for (int64_t k = 0; k < columns.size(); ++k) store(to + (columns.begin + k) * l.rows + i, x[k], first(count));
  }
}

int64_t add_ranges(const Layout& l) {
  return ceil_divide(l.transposed ? l.columns : l.rows * l.columns, l.transposed ? lanes : floats_to_add);
}

}  // namespace

bool conv2d_backward_weights_f32_matrix_product_supports(const nnrun_conv2d_backward_weights_f32& a) { return is_matrix_product(a); }

void conv2d_backward_weights_f32_matrix_product_work(const nnrun_conv2d_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.slices * l.groups;
  work.batch_phase = l.groups == 1 ? 1 : 0;
  work.ranges[1] = add_ranges(l) + (a.has_bias ? 1 : 0);
  work.workspace = static_cast<size_t>(l.floats()) * sizeof(float);
}

void conv2d_backward_weights_f32_matrix_product_run(const nnrun_conv2d_backward_weights_f32& a, void* workspace, uint32_t phase,
                                                    int64_t range) {
  const Layout l(a);
  float* sums = static_cast<float*>(workspace);
  if (phase == 0) {
    const int64_t slice = range / l.groups, group = range % l.groups;
    const auto share = [&](int64_t count) { return Slice{count * group / l.groups, count * (group + 1) / l.groups}; };
    sum_slice(a, l, sums + slice * l.slice_floats, {l.pixels * slice / l.slices, l.pixels * (slice + 1) / l.slices}, share(l.rows),
              share(a.filters));
  } else if (range == add_ranges(l)) {
    add_slices(l, sums + l.bias(), {0, a.filters}, a.dbias);
  } else if (l.transposed) {
    add_slices_transposed(l, sums, slice_of(l.columns, lanes, range), a.dweights);
  } else {
    add_slices(l, sums, slice_of(l.rows * l.columns, floats_to_add, range), a.dweights);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
