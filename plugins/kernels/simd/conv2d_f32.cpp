// Forward, and backward to the input. Phase 0 packs the weights, phase 1 walks over tiles of the target.
#include "conv2d.hpp"
#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

struct Gather {
  const nnrun_windows& windows;
  bool backward;
  int64_t groups;
  int64_t source_channels, target_channels;  // of a group
  const int64_t* source_size;
  const int64_t* target_size;
  const float* source;
  const float* weights;
  const float* bias;
  float* target;
  bool relu;

  bool depthwise() const { return source_channels == 1 && target_channels == 1; }
  int64_t taps() const { return windows.kernel[0] * windows.kernel[1]; }
  int64_t all_source_channels() const { return groups * source_channels; }
  int64_t all_target_channels() const { return groups * target_channels; }
};

Gather gather_of(const nnrun_conv2d_forward_f32& a) {
  return {a.windows, false, a.groups,   a.channels / a.groups, a.filters / a.groups, a.windows.input, a.windows.output, a.x, a.weights,
          a.bias,    a.y,   a.relu != 0};
}

Gather gather_of(const nnrun_conv2d_backward_data_f32& a) {
  return {a.windows, true, a.groups, a.filters / a.groups, a.channels / a.groups, a.windows.output, a.windows.input, a.dy, a.weights,
          nullptr,   a.dx, false};
}

// The target's channels, of a group (depthwise: of all), in panels of equal width.
struct Layout {
  explicit Layout(const Gather& g) {
    depthwise = g.depthwise();
    groups = depthwise ? 1 : g.groups;
    channels = depthwise ? g.groups : g.target_channels;
    const int64_t vectors = ceil_divide(channels, lanes);
    width = ceil_divide(vectors, ceil_divide(vectors, conv_tile_vectors)) * lanes;
    panels = ceil_divide(channels, width);
    panel_floats = g.taps() * (depthwise ? 1 : g.source_channels) * width;
    zeros = ceil_divide(depthwise ? g.groups : g.source_channels, lanes) * lanes;
  }
  int64_t zeros_offset() const { return groups * panels * panel_floats; }
  int64_t floats() const { return zeros_offset() + zeros; }

  bool depthwise;
  int64_t groups, channels;
  int64_t width, panels;
  int64_t panel_floats;
  int64_t zeros;  // of them
};

// The weights are (filters, taps, channels of a group); a panel holds some of the target's channels, taps in the order of the walk.
void pack_panel(const Gather& g, const Layout& layout, int64_t group, int64_t panel, float* to) {
  const Slice channels = slice_of(layout.channels, layout.width, panel);
  const int64_t taps = g.taps();
  if (layout.depthwise) {
    for (int64_t t = 0; t < taps; ++t) {
      float* row = to + (g.backward ? taps - 1 - t : t) * layout.width;
      for (int64_t c = 0; c < layout.width; ++c) row[c] = c < channels.size() ? g.weights[(channels.begin + c) * taps + t] : 0.0f;
    }
    return;
  }
  if (!g.backward) {
    const int64_t depth = taps * g.source_channels;
    pack_transposed(g.weights + (group * layout.channels + channels.begin) * depth, depth, channels.size(), depth, to, layout.width);
    return;
  }
  const int64_t filter = taps * g.target_channels;
  for (int64_t t = 0; t < taps; ++t) {
    pack_rows(g.weights + group * g.source_channels * filter + t * g.target_channels + channels.begin, filter, channels.size(),
              g.source_channels, to + (taps - 1 - t) * g.source_channels * layout.width, layout.width);
  }
}

Lattice lattice_of(const Gather& g, int axis, int64_t remainder) {
  return g.backward ? backward_lattice(g.windows, axis, remainder) : forward_lattice(g.windows, axis);
}

constexpr int64_t most_ranges = 64;
constexpr int64_t range_products = 1 << 20;
constexpr int64_t most_resident_weights = 160 * 1024;  // floats

int64_t ranges_of(const Gather& g) {
  const int64_t rows = g.windows.batch * g.target_size[0];
  const int64_t products =
      g.windows.batch * g.windows.output[0] * g.windows.output[1] * g.taps() * g.source_channels * g.target_channels * g.groups;
  return larger(1, smaller(smaller(rows, most_ranges), products / range_products));
}

void gather_work(const Gather& g, nnrun_work& work) {
  const Layout layout(g);
  work = {};
  work.phases = 2;
  work.ranges[0] = layout.groups * layout.panels + 1;
  work.ranges[1] = ranges_of(g);
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(layout.floats()) * sizeof(float);
}

// How far a walk over a lattice has come.
struct Walk {
  Walk(const Gather& g, const GatherTile& t, int64_t pixel)
      : y(t.lattice[0]), x(t.lattice[1]), picture(pixel / x.count / y.count), row(pixel / x.count % y.count), column(pixel % x.count) {
    from_step = x.from_step * t.pixel;
    to_step = x.to_step * g.all_target_channels();
    rows_inside = t.size[0] - (y.taps - 1) * y.tap_step;
    columns_inside = t.size[1] - (x.taps - 1) * x.tap_step;
    begin_row(g, t);
  }

  void begin_row(const Gather& g, const GatherTile& t) {
    from_row = row * y.from_step + y.from;
    from_column = column * x.from_step + x.from;
    row_inside = from_row >= 0 && from_row < rows_inside;
    offset = ((picture * t.size[0] + from_row) * t.size[1] + from_column) * t.pixel;
    to = ((picture * g.target_size[0] + y.to + row * y.to_step) * g.target_size[1] + x.to + column * x.to_step) * g.all_target_channels();
  }

  // Whether no tap of the pixel is outside of the source.
  bool inside() const { return row_inside && from_column >= 0 && from_column < columns_inside; }

  void next(const Gather& g, const GatherTile& t) {
    if (++column < x.count) {
      from_column += x.from_step;
      offset += from_step;
      to += to_step;
      return;
    }
    column = 0;
    if (++row == y.count) row = 0, ++picture;
    begin_row(g, t);
  }

  const Lattice &y, &x;
  int64_t picture, row, column;           // of the lattice
  int64_t from_row, from_column, offset;  // of the pixel's first tap
  int64_t to;
  int64_t from_step, to_step;           // floats from a pixel to its neighbour
  int64_t rows_inside, columns_inside;  // first taps before those have all the others in the source
  bool row_inside;
};

// Pixels `pixels` of those that a lattice has in all pictures, row by row, and some panels of all groups'.
void walk(const Gather& g, const Layout& layout, const float* packed, GatherTile& t, Slice pixels, Slice panels) {
  const int64_t full_vectors = layout.width / lanes;
  const int64_t most = tile_pixels(full_vectors);
  const int64_t tiles = ceil_divide(pixels.size(), most);
  Walk at(g, t, pixels.begin);
  t.ahead = most * at.to_step;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t count = pixels.size() * (tile + 1) / tiles - pixels.size() * tile / tiles;
    bool all_inside = true;
    for (int64_t p = 0; p < count; ++p) {
      t.row[p] = at.from_row;
      t.column[p] = at.from_column;
      t.offset[p] = at.offset;
      t.to[p] = at.to;
      all_inside = all_inside && at.inside();
      at.next(g, t);
    }
    for (int64_t index = panels.begin; index < panels.end; ++index) {
      const int64_t group = index / layout.panels;
      const Slice channels = slice_of(layout.channels, layout.width, index % layout.panels);
      const int64_t first_channel = group * layout.channels + channels.begin;
      t.source = g.source + group * g.source_channels;
      const GatherPanel gather_panel = {packed + index * layout.panel_floats,
                                        g.target + first_channel,
                                        layout.width,
                                        channels.size(),
                                        g.bias ? g.bias + first_channel : nullptr,
                                        g.relu,
                                        channels.begin};
      const auto function = layout.depthwise ? depthwise_function : gather_function;
      function(count, ceil_divide(channels.size(), lanes), all_inside)(t, gather_panel);
    }
  }
}

// The gradient of pixels that no window sees, of all groups.
void clear(const Gather& g, const GatherTile& t, Slice pixels) {
  Walk at(g, t, pixels.begin);
  for (int64_t pixel = pixels.begin; pixel < pixels.end; ++pixel, at.next(g, t)) {
    float* to = g.target + at.to;
    for (int64_t c = 0; c < g.all_target_channels(); c += lanes) store(to + c, zero(), first(smaller(lanes, g.all_target_channels() - c)));
  }
}

void gather_run(const Gather& g, void* workspace, uint32_t phase, int64_t range) {
  const Layout layout(g);
  float* packed = static_cast<float*>(workspace);
  if (phase == 0) {
    if (range == layout.groups * layout.panels) {
      for (int64_t c = 0; c < layout.zeros; ++c) packed[layout.zeros_offset() + c] = 0.0f;
    } else {
      pack_panel(g, layout, range / layout.panels, range % layout.panels, packed + range * layout.panel_floats);
    }
    return;
  }
  GatherTile t = {};
  for (int axis = 0; axis < 2; ++axis) t.size[axis] = g.source_size[axis];
  t.pixel = g.all_source_channels();
  t.depth = g.source_channels;
  t.zeros = packed + layout.zeros_offset();
  t.kernel_width = g.windows.kernel[1];
  const int64_t ranges = ranges_of(g);
  const int64_t row_remainders = g.backward ? g.windows.stride[0] : 1, column_remainders = g.backward ? g.windows.stride[1] : 1;
  for (int64_t ry = 0; ry < row_remainders; ++ry) {
    t.lattice[0] = lattice_of(g, 0, ry);
    const int64_t rows = g.windows.batch * t.lattice[0].count;
    for (int64_t rx = 0; rx < column_remainders; ++rx) {
      t.lattice[1] = lattice_of(g, 1, rx);
      const Lattice& x = t.lattice[1];
      if (rows == 0 || x.count == 0) continue;
      const bool contiguous = x.tap_step == 1 && x.tap_stride == 1 && t.pixel == t.depth && x.taps > 0;
      t.inside_pieces = contiguous ? 1 : x.taps;
      t.inside_length = contiguous ? x.taps * t.depth : t.depth;
      const Slice pixels = {rows * range / ranges * x.count, rows * (range + 1) / ranges * x.count};
      if (g.backward && (t.lattice[0].taps == 0 || x.taps == 0)) {
        clear(g, t, pixels);
        continue;
      }
      // Weights that the L2 cache cannot hold all at once: panel by panel.
      const int64_t panels = layout.groups * layout.panels;
      const int64_t step = panels * layout.panel_floats <= most_resident_weights ? panels : 1;
      for (int64_t panel = 0; panel < panels; panel += step) walk(g, layout, packed, t, pixels, {panel, panel + step});
    }
  }
}

}  // namespace

void conv2d_forward_f32_work(const nnrun_conv2d_forward_f32& a, nnrun_work& work) { gather_work(gather_of(a), work); }

void conv2d_forward_f32_run(const nnrun_conv2d_forward_f32& a, void* workspace, uint32_t phase, int64_t range) {
  gather_run(gather_of(a), workspace, phase, range);
}

void conv2d_backward_data_f32_work(const nnrun_conv2d_backward_data_f32& a, nnrun_work& work) { gather_work(gather_of(a), work); }

void conv2d_backward_data_f32_run(const nnrun_conv2d_backward_data_f32& a, void* workspace, uint32_t phase, int64_t range) {
  gather_run(gather_of(a), workspace, phase, range);
}

}  // namespace NNRUN_ISA_NAMESPACE
