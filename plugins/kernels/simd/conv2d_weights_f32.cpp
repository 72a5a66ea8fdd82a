// Phase 0: slices of the batch, each into sums of its own, (taps, channels of a group, filters of a panel). Phase 1 adds the slices'
// sums in order, and turns them into (filters, taps, channels).
#include "conv2d_weights.hpp"
#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t wanted_ranges = 8;  // enough to balance two to eight threads
constexpr int64_t most_slices = 64;   // of the batch: what another layer has made of one is then still in the cache
constexpr int64_t most_floats = 512 * 1024;
constexpr int64_t block_pixels = 96;        // their dy, 64 filters wide, and their x for some taps fit the L1 cache
constexpr int64_t merged_channels = 16;     // up to so few channels are copied with their padding, and a row of taps taken in one go
constexpr int64_t elements_to_reduce = 64;  // in a range of phase 1

constexpr int64_t round_up(int64_t x, int64_t step) { return ceil_divide(x, step) * step; }

struct Layout {
  explicit Layout(const nnrun_conv2d_backward_weights_f32& a) : w(a.windows) {
    group_channels = a.channels / a.groups;
    group_filters = a.filters / a.groups;
    depthwise = group_channels == 1 && group_filters == 1;
    groups = depthwise ? 1 : a.groups;
    filters = depthwise ? a.filters : group_filters;
    elements = w.kernel[0] * w.kernel[1] * (depthwise ? 1 : group_channels);
    const int64_t vectors = ceil_divide(filters, lanes);
    width = (depthwise ? vectors : ceil_divide(vectors, ceil_divide(vectors, conv_tile_vectors))) * lanes;
    panels = groups * ceil_divide(filters, width);
    panel_floats = (elements + 1) * width;  // the last row is the bias

    columns = ceil_divide(w.output[1], ceil_divide(w.output[1], block_pixels));
    rows = smaller(w.output[0], larger(1, block_pixels / columns));
    row_blocks = ceil_divide(w.output[0], rows);
    column_blocks = ceil_divide(w.output[1], columns);
    blocks = w.batch * row_blocks * column_blocks;

    merged = a.groups == 1 && !depthwise && w.dilation[1] == 1 && a.channels <= merged_channels;
    x_columns = (columns - 1) * w.stride[1] + w.kernel[1];
    x_rows = (rows - 1) * w.stride[0] + (w.kernel[0] - 1) * w.dilation[0] + 1;
    copied_x = merged ? round_up(x_rows * x_columns * a.channels, 16) : 0;
    copies_dy = !depthwise && a.filters != width;
    copied_dy = copies_dy ? rows * columns * width : 0;
    range_floats = panel_floats + copied_x + copied_dy;
    fewest_slices = smaller(blocks, ceil_divide(wanted_ranges, panels));
    slices = most_slices_of_pictures();
    while (slices > fewest_slices && w.batch % slices != 0) --slices;
  }

  // Of whole pictures; panels are ranges, too, and several of them enough.
  int64_t most_slices_of_pictures() const {
    return panels > 1 ? fewest_slices : larger(fewest_slices, smaller(smaller(most_slices, w.batch), most_floats / range_floats));
  }

  int64_t partial(int64_t slice, int64_t panel) const { return (slice * panels + panel) * panel_floats; }
  int64_t copies(int64_t range) const { return slices * panels * panel_floats + range * (copied_x + copied_dy); }
  int64_t floats() const { return most_slices_of_pictures() * panels * range_floats; }  // never falls with the batch

  const nnrun_windows& w;
  int64_t group_channels, group_filters;
  bool depthwise;
  int64_t groups, filters, elements;
  int64_t width, panels, panel_floats;
  int64_t rows, columns;  // of a block
  int64_t row_blocks, column_blocks, blocks;
  int64_t slices, fewest_slices;
  bool merged, copies_dy;
  int64_t x_rows, x_columns, copied_x, copied_dy, range_floats;
};

// A block of y's pixels.
struct Block {
  int64_t picture;
  Slice rows, columns;
};

Block block_of(const Layout& l, int64_t index) {
  const int64_t row_block = index / l.column_blocks % l.row_blocks;
  return {index / l.column_blocks / l.row_blocks, slice_of(l.w.output[0], l.rows, row_block),
          slice_of(l.w.output[1], l.columns, index % l.column_blocks)};
}

Slice intersection(Slice a, Slice b) {
  const int64_t begin = larger(a.begin, b.begin);
  return {begin, larger(begin, smaller(a.end, b.end))};
}

// A panel's columns of the block's dy, where they do not lie side by side already.
PixelBlock dy_of(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, const Block& b, int64_t first_filter, int64_t filters,
                 float* copy) {
  const float* dy = a.dy + ((b.picture * l.w.output[0] + b.rows.begin) * l.w.output[1] + b.columns.begin) * a.filters + first_filter;
  PixelBlock p = {};
  p.rows = b.rows.size();
  p.columns = b.columns.size();
  if (!l.copies_dy) {
    p.dy = dy;
    p.dy_row = l.w.output[1] * a.filters;
    p.dy_pixel = a.filters;
    return p;
  }
  for (int64_t row = 0; row < p.rows; ++row)
    pack_rows(dy + row * l.w.output[1] * a.filters, a.filters, filters, p.columns, copy + row * p.columns * l.width, l.width);
  p.dy = copy;
  p.dy_row = p.columns * l.width;
  p.dy_pixel = l.width;
  return p;
}

// What the block's windows see of x, zeros around the picture included: (x_rows, x_columns, channels).
void copy_x(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, const Block& b, float* to) {
  const nnrun_windows& w = l.w;
  const int64_t rows = (b.rows.size() - 1) * w.stride[0] + (w.kernel[0] - 1) * w.dilation[0] + 1;
  const int64_t first_row = b.rows.begin * w.stride[0] - w.padding[0], first_column = b.columns.begin * w.stride[1] - w.padding[1];
  const Slice inside = intersection({-first_column, w.input[1] - first_column}, {0, l.x_columns});
  for (int64_t row = 0; row < rows; ++row, to += l.x_columns * a.channels) {
    const int64_t y = first_row + row;
    const bool there = y >= 0 && y < w.input[0];
    const int64_t begin = (there ? inside.begin : l.x_columns) * a.channels, end = (there ? inside.end : l.x_columns) * a.channels;
    for (int64_t i = 0; i < begin; ++i) to[i] = 0.0f;
    if (there) {
      const float* from = a.x + ((b.picture * w.input[0] + y) * w.input[1] + first_column) * a.channels;
      for (int64_t i = begin; i < end; ++i) to[i] = from[i];
    }
    for (int64_t i = end; i < l.x_columns * a.channels; ++i) to[i] = 0.0f;
  }
}

// Elements `count` of x at each pixel, one behind the other, in as few tiles as it takes.
void add_outer(PixelBlock p, int64_t count, int64_t vectors, float* to, int64_t width, bool accumulate) {
  const int64_t tiles = ceil_divide(count, outer_elements(vectors));
  const float* x = p.x;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t begin = count * tile / tiles, end = count * (tile + 1) / tiles;
    p.x = x + begin;
    outer_function(end - begin, vectors)(p, to + begin * width, width, accumulate);
  }
}

void add_merged(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, PixelBlock p, const float* x, int64_t vectors, float* to,
                bool accumulate) {
  p.x_row = l.w.stride[0] * l.x_columns * a.channels;
  p.x_pixel = l.w.stride[1] * a.channels;
  const int64_t run = l.w.kernel[1] * a.channels;
  for (int64_t ky = 0; ky < l.w.kernel[0]; ++ky) {
    p.x = x + ky * l.w.dilation[0] * l.x_columns * a.channels;
    add_outer(p, run, vectors, to + ky * run * l.width, l.width, accumulate);
  }
}

// Tap by tap, of the block only those pixels whose tap lies in the picture.
void add_taps(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, const Block& b, const PixelBlock& all, int64_t first_channel,
              int64_t vectors, float* to, bool accumulate) {
  const nnrun_windows& w = l.w;
  const int64_t depth = l.depthwise ? 1 : l.group_channels;
  for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
    const Slice rows = intersection(b.rows, windows_inside(w, 0, ky));
    for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
      const Slice columns = intersection(b.columns, windows_inside(w, 1, kx));
      PixelBlock p = all;
      p.rows = columns.size() == 0 ? 0 : rows.size();
      p.columns = columns.size();
      p.x = a.x;
      if (p.rows > 0) {
        p.dy = all.dy + (rows.begin - b.rows.begin) * all.dy_row + (columns.begin - b.columns.begin) * all.dy_pixel;
        const int64_t y = rows.begin * w.stride[0] - w.padding[0] + ky * w.dilation[0];
        const int64_t x = columns.begin * w.stride[1] - w.padding[1] + kx * w.dilation[1];
        p.x = a.x + ((b.picture * w.input[0] + y) * w.input[1] + x) * a.channels + first_channel;
      }
      p.x_row = w.stride[0] * w.input[1] * a.channels;
      p.x_pixel = w.stride[1] * a.channels;
      float* here = to + (ky * w.kernel[1] + kx) * depth * l.width;
      if (p.rows == 0 && accumulate) continue;
      if (l.depthwise) {
        sum_products(p, l.filters, here, accumulate);
      } else {
        add_outer(p, depth, vectors, here, l.width, accumulate);
      }
    }
  }
}

void sum_slice(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, float* workspace, int64_t range) {
  const int64_t slice = range / l.panels, panel = range % l.panels;
  const int64_t group = panel / (l.panels / l.groups);
  const Slice columns = slice_of(l.filters, l.width, panel % (l.panels / l.groups));
  const int64_t vectors = ceil_divide(columns.size(), lanes);
  const int64_t first_filter = group * l.group_filters + columns.begin;
  float* to = workspace + l.partial(slice, panel);
  float* copied_x = workspace + l.copies(range);
  float* copied_dy = copied_x + l.copied_x;
  const int64_t begin = l.blocks * slice / l.slices, end = l.blocks * (slice + 1) / l.slices;
  for (int64_t index = begin; index < end; ++index) {
    const bool accumulate = index > begin;
    const Block b = block_of(l, index);
    PixelBlock p = dy_of(a, l, b, first_filter, columns.size(), copied_dy);
    if (l.merged) {
      copy_x(a, l, b, copied_x);
      add_merged(a, l, p, copied_x, vectors, to, accumulate);
    } else {
      add_taps(a, l, b, p, group * l.group_channels, vectors, to, accumulate);
    }
    if (a.has_bias) sum_pixels(p, columns.size(), to + l.elements * l.width, accumulate);
  }
}

// The sum of all slices' `filters` numbers at `at`.
Floats sum_of_slices(const Layout& l, const float* at, Mask filters) {
  Floats sum = load(at, filters);
  for (int64_t slice = 1; slice < l.slices; ++slice) sum = add(sum, load(at + l.partial(slice, 0), filters));
  return sum;
}

void reduce(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, const float* workspace, int64_t range) {
  const int64_t chunks = ceil_divide(l.elements, elements_to_reduce);
  const int64_t panel = range / chunks, group = panel / (l.panels / l.groups);
  const Slice elements = slice_of(l.elements, elements_to_reduce, range % chunks);
  const Slice filters = slice_of(l.filters, l.width, panel % (l.panels / l.groups));
  const int64_t first_filter = group * l.group_filters + filters.begin;
  const float* sums = workspace + l.partial(0, panel);
  for (int64_t j = 0; j < filters.size(); j += lanes) {
    const int64_t here = smaller(lanes, filters.size() - j);
    const Mask mask = first(here);
    for (int64_t e = elements.begin; e < elements.end; e += lanes) {
      const int64_t count = smaller(lanes, elements.end - e);
      Floats x[lanes];
      for (int64_t i = 0; i < lanes; ++i) x[i] = i < count ? sum_of_slices(l, sums + (e + i) * l.width + j, mask) : zero();
      transpose(x);
      for (int64_t i = 0; i < here; ++i) store(a.dweights + (first_filter + j + i) * l.elements + e, x[i], first(count));
    }
    if (a.has_bias && elements.begin == 0) store(a.dbias + first_filter + j, sum_of_slices(l, sums + l.elements * l.width + j, mask), mask);
  }
}

}  // namespace

void conv2d_backward_weights_f32_work(const nnrun_conv2d_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.slices * l.panels;
  work.batch_phase = l.panels == 1 ? 1 : 0;
  work.ranges[1] = l.panels * ceil_divide(l.elements, elements_to_reduce);
  work.workspace = static_cast<size_t>(l.floats()) * sizeof(float);
}

void conv2d_backward_weights_f32_run(const nnrun_conv2d_backward_weights_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const Layout l(a);
  float* floats = static_cast<float*>(workspace);
  if (phase == 0) {
    sum_slice(a, l, floats, range);
  } else {
    reduce(a, l, floats, range);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
