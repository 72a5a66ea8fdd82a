// dweights = dy' * x. Phase 0: slices of the pixels, each into sums of its own; where there are few pixels, each slice's filters
// are shared out too. Phase 1 adds the slices' sums in order.
#include "conv2d_matrix_product.hpp"
#include "conv2d_weights.hpp"
#include "outer_products.hpp"
#include "prefetch.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t wanted_ranges = 8;   // enough to balance two to eight threads
constexpr int64_t least_pixels = 256;  // of a slice, or adding the slices up would take a good part of the time
constexpr int64_t least_filters = 2 * tall_tile_rows;
constexpr int64_t block_pixels = 128;  // their x, a panel of channels wide, fits the L1 cache
constexpr int64_t panel_channels = 2 * lanes;
constexpr int64_t floats_to_add = 4096;  // in a range of phase 1

constexpr int64_t round_up(int64_t x) { return ceil_divide(x, lanes) * lanes; }

struct Layout {
  explicit Layout(const nnrun_conv2d_backward_weights_f32& a) {
    pixels = pixels_of(a.windows);
    slices = larger(1, smaller(wanted_ranges, pixels / least_pixels));
    groups = smaller(ceil_divide(wanted_ranges, slices), ceil_divide(a.filters, least_filters));
    panels = ceil_divide(a.channels, panel_channels);
    weights = a.filters * a.channels;
    slice_floats = round_up(weights) + round_up(a.filters);
  }
  int64_t floats() const { return slices * slice_floats + 2 * wanted_ranges * packed_floats; }  // never falls with the batch

  int64_t pixels, slices, groups, panels;
  int64_t weights, slice_floats;                                           // dweights, then dbias
  static constexpr int64_t packed_floats = block_pixels * panel_channels;  // of each range
};

void sum_slice(const nnrun_conv2d_backward_weights_f32& a, const Layout& l, float* sums, float* packed, Slice pixels, Slice filters) {
  for (int64_t begin = pixels.begin; begin < pixels.end; begin += block_pixels) {
    const int64_t end = smaller(pixels.end, begin + block_pixels), next = smaller(block_pixels, pixels.end - end);
    const bool accumulate = begin > pixels.begin;
    const float* dy = a.dy + begin * a.filters + filters.begin;
    for (int64_t panel = 0; panel < l.panels; ++panel) {
      const Slice channels = slice_of(a.channels, panel_channels, panel);
      // Rows of x are often a power of two apart, which is a few places of the L1 cache only.
      pack_rows(a.x + begin * a.channels + channels.begin, a.channels, channels.size(), end - begin, packed, panel_channels);
      OuterProducts o = {};
      o.rows = filters.size(), o.columns = channels.size(), o.depth = end - begin;
      o.a = dy, o.a_stride = a.filters;
      o.b = packed, o.b_stride = panel_channels;
      o.c = sums + filters.begin * a.channels + channels.begin, o.c_stride = a.channels;
      o.accumulate = accumulate;
      const int64_t tiles = tiles_of(o);
      add_outer_products(o, [&](int64_t tile) {
        const int64_t share = panel * tiles + tile, shares = l.panels * tiles;
        prefetch_share(a.x + end * a.channels, next * a.channels, share, shares);
        prefetch_share(a.dy + end * a.filters, next * a.filters, share, shares);
      });
    }
    if (!a.has_bias) continue;
    const PixelBlock block = {1, end - begin, nullptr, 0, 0, dy, 0, a.filters};
    sum_pixels(block, filters.size(), sums + round_up(l.weights) + filters.begin, accumulate);
  }
}

void add_slices(const Layout& l, const float* sums, Slice floats, float* to) {
  for (int64_t i = floats.begin; i < floats.end; i += lanes) {
    const Mask mask = first(smaller(lanes, floats.end - i));
    Floats sum = load(sums + i, mask);
    for (int64_t slice = 1; slice < l.slices; ++slice) sum = add(sum, load(sums + slice * l.slice_floats + i, mask));
    store(to + i, sum, mask);
  }
}

}  // namespace

bool conv2d_backward_weights_f32_matrix_product_supports(const nnrun_conv2d_backward_weights_f32& a) {
  return is_matrix_product(a) && a.channels > lanes;
}

void conv2d_backward_weights_f32_matrix_product_work(const nnrun_conv2d_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.slices * l.groups;
  work.batch_phase = l.groups == 1 ? 1 : 0;
  work.ranges[1] = ceil_divide(l.weights, floats_to_add) + (a.has_bias ? 1 : 0);
  work.workspace = static_cast<size_t>(l.floats()) * sizeof(float);
}

void conv2d_backward_weights_f32_matrix_product_run(const nnrun_conv2d_backward_weights_f32& a, void* workspace, uint32_t phase,
                                                    int64_t range) {
  const Layout l(a);
  float* sums = static_cast<float*>(workspace);
  if (phase == 0) {
    const int64_t slice = range / l.groups, group = range % l.groups;
    float* packed = sums + l.slices * l.slice_floats + range * l.packed_floats;
    sum_slice(a, l, sums + slice * l.slice_floats, packed, {l.pixels * slice / l.slices, l.pixels * (slice + 1) / l.slices},
              {a.filters * group / l.groups, a.filters * (group + 1) / l.groups});
  } else if (range < ceil_divide(l.weights, floats_to_add)) {
    add_slices(l, sums, slice_of(l.weights, floats_to_add, range), a.dweights);
  } else {
    add_slices(l, sums + round_up(l.weights), {0, a.filters}, a.dbias);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
