// Few channels: phase 0 packs the weights, (panels, elements of a window, filters of a panel), and the bias behind them. In phase 1 a
// range walks over bands of rows of y: it copies what a band sees of x, then computes some pixels of a row and a panel of filters at a
// time, in registers.
#include "advance.hpp"
#include "few_channels.hpp"
#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t band_rows = 4;  // of y
constexpr int64_t most_ranges = 32;
constexpr int64_t most_elements = 256;
constexpr int widest_panel = 2;  // vectors

struct Layout : FewChannels<nnrun_conv2d_forward_f32, 1> {
  explicit Layout(const nnrun_conv2d_forward_f32& arguments) : FewChannels(arguments) {
    panel_filters = smaller(widest_panel, ceil_divide(a.filters, lanes)) * lanes;
    panels = ceil_divide(a.filters, panel_filters);
    panel_floats = (elements + 1) * panel_filters;
    bands = ceil_divide(height, band_rows);
    ranges = smaller(most_ranges, a.windows.batch * bands);
    range_floats = ceil_divide(x_rows(smaller(band_rows, height)) * pitch, lanes) * lanes;
  }
  int64_t copies(int64_t range) const { return panels * panel_floats + range * range_floats; }

  int64_t panel_filters, panels, panel_floats, bands, ranges, range_floats;
};

void pack(const Layout& l, int64_t panel, float* to) {
  const Slice filters = slice_of(l.a.filters, l.panel_filters, panel);
  for (int64_t e = 0; e < l.elements; ++e) {
    for (int64_t f = 0; f < l.panel_filters; ++f) *to++ = f < filters.size() ? l.a.weights[(filters.begin + f) * l.elements + e] : 0.0f;
  }
  for (int64_t f = 0; f < l.panel_filters; ++f) *to++ = f < filters.size() && l.a.bias ? l.a.bias[filters.begin + f] : 0.0f;
}

struct Tile {
  const float* x;   // the first window's
  int64_t tap_row;  // floats of x from a window's row to its next
  int64_t tap_rows, run;
  const float* weights;
  float* y;
  int64_t filters;  // of all
  int64_t columns;  // filters of the panel that count
  bool relu;
};

// `step` floats of x from one pixel to the next.
template <int pixels, int step, int vectors>
void tile(const Tile& t) {
  Floats sum[pixels][vectors];
  repeat<pixels>([&](auto p) { repeat<vectors>([&](auto v) { sum[p][v] = zero(); }); });
  const float* weights = t.weights;
  for (int64_t ky = 0; ky < t.tap_rows; ++ky) {
    const float* x = t.x + ky * t.tap_row;
    for (int64_t e = 0; e < t.run; ++e, advance(x, 1), weights += vectors * lanes) {
      Floats w[vectors];
      repeat<vectors>([&](auto v) __attribute__((always_inline)) { w[v] = load(weights + v * lanes); });
      repeat<pixels>([&](auto p) __attribute__((always_inline)) {
        const Floats here = all(x[p * step]);
        repeat<vectors>([&](auto v) __attribute__((always_inline)) { sum[p][v] = fma(here, w[v], sum[p][v]); });
      });
    }
  }
  repeat<vectors>([&](auto v) __attribute__((always_inline)) {
    const int64_t count = smaller(lanes, t.columns - v * lanes);
    if (count <= 0) return;
    const Floats bias = load(weights + v * lanes);
    repeat<pixels>([&](auto p) __attribute__((always_inline)) {
      float* y = t.y + p * t.filters + v * lanes;
      __builtin_prefetch(y + pixels * t.filters, 1);
      Floats result = add(sum[p][v], bias);
      if (t.relu) result = maximum(zero(), result);
      if (count == lanes) {
        store(y, result);
      } else {
        store(y, result, first(count));
      }
    });
  });
}

using TileFunction = void (*)(const Tile&);

constexpr int most_pixels(int64_t vectors) { return vectors == 1 ? narrow_tile_rows : tall_tile_rows; }

template <int step, int vectors>
TileFunction function_of(int64_t pixels) {
  constexpr int most = most_pixels(vectors);
  if (pixels == most) return tile<most, step, vectors>;
  if constexpr (most > 8) {
    if (pixels == 8) return tile<8, step, vectors>;
  }
  return pixels == 4 ? tile<4, step, vectors> : pixels == 2 ? tile<2, step, vectors> : tile<1, step, vectors>;
}

template <int step>
TileFunction function_of(int64_t pixels, int64_t vectors) {
  return vectors == 1 ? function_of<step, 1>(pixels) : function_of<step, 2>(pixels);
}

TileFunction function_of(int64_t pixels, int64_t step, int64_t vectors) {
  switch (step) {
    case 1: return function_of<1>(pixels, vectors);
    case 2: return function_of<2>(pixels, vectors);
    case 3: return function_of<3>(pixels, vectors);
    case 4: return function_of<4>(pixels, vectors);
    case 6: return function_of<6>(pixels, vectors);
    case 8: return function_of<8>(pixels, vectors);
    default: return nullptr;
  }
}

int64_t pixels_of(int64_t left, int64_t vectors) {
  int64_t pixels = most_pixels(vectors);
  if (pixels > left) pixels = 8;
  while (pixels > left) pixels /= 2;
  return pixels;
}

void compute_band(const Layout& l, int64_t picture, Slice rows, const float* weights, float* x) {
  l.copy(picture, rows, x);
  l.fetch(picture, {rows.end, smaller(l.height, rows.end + band_rows)});
  Tile t = {};
  t.tap_row = l.a.windows.dilation[0] * l.pitch;
  t.tap_rows = l.a.windows.kernel[0];
  t.run = l.run;
  t.filters = l.a.filters;
  t.relu = l.a.relu != 0;
  for (int64_t panel = 0; panel < l.panels; ++panel) {
    const Slice filters = slice_of(l.a.filters, l.panel_filters, panel);
    const int64_t vectors = l.panel_filters / lanes;
    t.weights = weights + panel * l.panel_floats;
    t.columns = filters.size();
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      t.y = l.a.y + (picture * l.height + row) * l.width * l.a.filters + filters.begin;
      t.x = x + (row - rows.begin) * l.a.windows.stride[0] * l.pitch;
      for (int64_t column = 0, pixels; column < l.width; column += pixels) {
        pixels = pixels_of(l.width - column, vectors);
        function_of(pixels, l.step, vectors)(t);
        t.x += pixels * l.step;
        t.y += pixels * l.a.filters;
      }
    }
  }
}

}  // namespace

bool conv2d_forward_f32_few_channels_supports(const nnrun_conv2d_forward_f32& a) {
  const Layout l(a);
  return a.groups == 1 && a.windows.dilation[1] == 1 && l.elements <= most_elements && function_of(1, l.step, 1) != nullptr;
}

void conv2d_forward_f32_few_channels_work(const nnrun_conv2d_forward_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.panels;
  work.ranges[1] = l.ranges;
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(l.copies(l.ranges)) * sizeof(float);
}

void conv2d_forward_f32_few_channels_run(const nnrun_conv2d_forward_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const Layout l(a);
  float* weights = static_cast<float*>(workspace);
  if (phase == 0) return pack(l, range, weights + range * l.panel_floats);
  const int64_t bands = a.windows.batch * l.bands;
  for (int64_t band = bands * range / l.ranges; band < bands * (range + 1) / l.ranges; ++band)
    compute_band(l, band / l.bands, slice_of(l.height, band_rows, band % l.bands), weights, weights + l.copies(range));
}

}  // namespace NNRUN_ISA_NAMESPACE
