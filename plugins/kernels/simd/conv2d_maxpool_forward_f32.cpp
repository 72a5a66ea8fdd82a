// Few channels: phase 0 packs the weights, (panels, elements of a window, filters of a panel). In phase 1 a range walks over bands of
// pooled rows: it copies what a band sees of x, then computes 2 rows of results at a time, a few pixels and a panel of filters wide,
// in registers, and keeps the largest of each four.
#include "advance.hpp"
#include "few_channels.hpp"
#include "kernels.hpp"
#include "pool_2x2.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t band_rows = 4;  // of y
constexpr int64_t most_ranges = 32;
constexpr int64_t most_elements = 256;
constexpr int64_t panel_filters = few_channels_vectors * lanes;

struct Layout : FewChannels<nnrun_conv2d_maxpool_forward_f32, 2> {
  explicit Layout(const nnrun_conv2d_maxpool_forward_f32& arguments) : FewChannels(arguments) {
    panels = ceil_divide(a.filters, panel_filters);
    panel_floats = (elements + 1) * panel_filters;
    bands = ceil_divide(height, band_rows);
    ranges = smaller(most_ranges, a.windows.batch * bands);
    range_floats = ceil_divide(x_rows(smaller(band_rows, height)) * pitch, lanes) * lanes;
  }
  int64_t copies(int64_t range) const { return panels * panel_floats + range * range_floats; }

  int64_t panels, panel_floats, bands, ranges, range_floats;
};

void pack(const nnrun_conv2d_maxpool_forward_f32& a, const Layout& l, int64_t panel, float* to) {
  const Slice filters = slice_of(a.filters, panel_filters, panel);
  for (int64_t e = 0; e < l.elements; ++e) {
    for (int64_t f = 0; f < panel_filters; ++f) *to++ = f < filters.size() ? a.weights[(filters.begin + f) * l.elements + e] : 0.0f;
  }
  for (int64_t f = 0; f < panel_filters; ++f) *to++ = f < filters.size() && a.bias ? a.bias[filters.begin + f] : 0.0f;
}

struct Tile {
  const float* x;   // the first window's
  int64_t row;      // floats of x from a row of windows to the next
  int64_t tap_row;  // and from a window's row to its next
  int64_t tap_rows, run;
  const float* weights;
  float* y;
  uint8_t* argmax;  // or NULL
  int64_t filters;  // of all
  int64_t columns;  // filters of the panel that count
};

// 2 rows x `pixels` results; `step` floats of x from one to the next.
template <int pixels, int step, bool relu>
void tile(const Tile& t) {
  constexpr int vectors = few_channels_vectors;
  Floats sum[2][pixels][vectors];
  repeat<2>([&](auto r) { repeat<pixels>([&](auto p) { repeat<vectors>([&](auto v) { sum[r][p][v] = zero(); }); }); });
  const float* weights = t.weights;
  for (int64_t ky = 0; ky < t.tap_rows; ++ky) {
    const float* upper = t.x + ky * t.tap_row;
    const float* lower = upper + t.row;
    for (int64_t e = 0; e < t.run; ++e, advance(upper, 1), advance(lower, 1), weights += panel_filters) {
      Floats w[vectors];
      repeat<vectors>([&](auto v) __attribute__((always_inline)) { w[v] = load(weights + v * lanes); });
      repeat<pixels>([&](auto p) __attribute__((always_inline)) {
        const Floats above = all(upper[p * step]), below = all(lower[p * step]);
        repeat<vectors>([&](auto v) __attribute__((always_inline)) {
          sum[0][p][v] = fma(above, w[v], sum[0][p][v]);
          sum[1][p][v] = fma(below, w[v], sum[1][p][v]);
        });
      });
    }
  }
  repeat<vectors>([&](auto v) __attribute__((always_inline)) {
    const int64_t count = smaller(lanes, t.columns - v * lanes);
    if (count <= 0) return;
    const Floats bias = load(weights + v * lanes);
    repeat<pixels / 2>([&](auto p) __attribute__((always_inline)) {
      const Pooled pooled = largest_of_four<relu>(sum[0][2 * p][v], sum[0][2 * p + 1][v], sum[1][2 * p][v], sum[1][2 * p + 1][v], bias);
      store(t.y + p * t.filters + v * lanes, pooled.y, first(count));
      if (t.argmax) to_bytes(t.argmax + p * t.filters + v * lanes, pooled.argmax, count);
    });
  });
}

using TileFunction = void (*)(const Tile&);

template <int step>
TileFunction function_of(int64_t pixels, bool relu) {
  constexpr int most = few_channels_pixels;
  if (pixels == most) return relu ? tile<most, step, true> : tile<most, step, false>;
  if (pixels == 4) return relu ? tile<4, step, true> : tile<4, step, false>;
  return relu ? tile<2, step, true> : tile<2, step, false>;
}

TileFunction function_of(int64_t pixels, int64_t step, bool relu) {
  switch (step) {
    case 1: return function_of<1>(pixels, relu);
    case 2: return function_of<2>(pixels, relu);
    case 3: return function_of<3>(pixels, relu);
    case 4: return function_of<4>(pixels, relu);
    case 6: return function_of<6>(pixels, relu);
    default: return nullptr;
  }
}

void compute_band(const Layout& l, int64_t picture, Slice rows, const float* weights, float* x) {
  const nnrun_conv2d_maxpool_forward_f32& a = l.a;
  l.copy(picture, rows, x);
  Tile t = {};
  t.row = a.windows.stride[0] * l.pitch;
  t.tap_row = a.windows.dilation[0] * l.pitch;
  t.tap_rows = a.windows.kernel[0];
  t.run = l.run;
  t.filters = a.filters;
  for (int64_t panel = 0; panel < l.panels; ++panel) {
    const Slice filters = slice_of(a.filters, panel_filters, panel);
    t.weights = weights + panel * l.panel_floats;
    t.columns = filters.size();
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      const int64_t to = (picture * l.height + row) * l.width;
      for (int64_t column = 0; column < l.width;) {
        const int64_t most = smaller(few_channels_pixels, 2 * (l.width - column));
        const int64_t pixels = most == few_channels_pixels || most < 4 ? most : 4;
        t.x = x + 2 * (row - rows.begin) * t.row + 2 * column * l.step;
        t.y = a.y + (to + column) * a.filters + filters.begin;
        t.argmax = a.argmax ? a.argmax + (to + column) * a.filters + filters.begin : nullptr;
        function_of(pixels, l.step, a.relu != 0)(t);
        column += pixels / 2;
      }
    }
  }
}

}  // namespace

bool conv2d_maxpool_forward_f32_few_channels_supports(const nnrun_conv2d_maxpool_forward_f32& a) {
  const Layout l(a);
  return a.groups == 1 && a.windows.dilation[1] == 1 && l.elements <= most_elements && function_of(2, l.step, false) != nullptr;
}

void conv2d_maxpool_forward_f32_few_channels_work(const nnrun_conv2d_maxpool_forward_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.panels;
  work.ranges[1] = l.ranges;
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(l.copies(l.ranges)) * sizeof(float);
}

void conv2d_maxpool_forward_f32_few_channels_run(const nnrun_conv2d_maxpool_forward_f32& a, void* workspace, uint32_t phase,
                                                 int64_t range) {
  const Layout l(a);
  float* weights = static_cast<float*>(workspace);
  if (phase == 0) {
    pack(a, l, range, weights + range * l.panel_floats);
    return;
  }
  const int64_t bands = a.windows.batch * l.bands;
  for (int64_t band = bands * range / l.ranges; band < bands * (range + 1) / l.ranges; ++band)
    compute_band(l, band / l.bands, slice_of(l.height, band_rows, band % l.bands), weights, weights + l.copies(range));
}

}  // namespace NNRUN_ISA_NAMESPACE
