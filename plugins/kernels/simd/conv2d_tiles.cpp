#include "conv2d.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// Where tap (ky, kx) of each pixel lies.
template <int pixels, bool inside>
__attribute__((always_inline)) inline void find_sources(const GatherTile& t, int64_t ky, int64_t kx, const float* (&from)[pixels]) {
  const int64_t down = ky * t.lattice[0].tap_step, right = kx * t.lattice[1].tap_step;
  const int64_t distance = (down * t.size[1] + right) * t.pixel;
  repeat<pixels>([&](auto p) __attribute__((always_inline)) {
    if constexpr (inside) {
      from[p] = t.source + (t.offset[p] + distance);
    } else {
      const bool there = static_cast<uint64_t>(t.row[p] + down) < static_cast<uint64_t>(t.size[0]) &&
                         static_cast<uint64_t>(t.column[p] + right) < static_cast<uint64_t>(t.size[1]);
      from[p] = there ? t.source + (t.offset[p] + distance) : t.zeros;
    }
  });
}

template <int pixels, int vectors>
__attribute__((always_inline)) inline void finish(const GatherTile& t, const GatherPanel& panel, Floats (&sum)[pixels][vectors]) {
  const Mask last = first(panel.columns - (vectors - 1) * lanes);
  repeat<vectors>([&](auto j) __attribute__((always_inline)) {
    constexpr bool masked = j == vectors - 1;
    const int64_t at = j * lanes;
    const Floats bias = !panel.bias ? zero() : masked ? load(panel.bias + at, last) : load(panel.bias + at);
    repeat<pixels>([&](auto p) __attribute__((always_inline)) {
      Floats y = sum[p][j];
      __builtin_prefetch(panel.target + t.to[p] + t.ahead + at, 1);
      if (panel.bias) y = add(y, bias);
      if (panel.relu) y = maximum(zero(), y);
      if constexpr (masked) {
        store(panel.target + t.to[p] + at, y, last);
      } else {
        store(panel.target + t.to[p] + at, y);
      }
    });
  });
}

template <int pixels, int vectors>
__attribute__((always_inline)) inline void clear(Floats (&sum)[pixels][vectors]) {
  repeat<pixels>([&](auto p) __attribute__((always_inline)) {
    repeat<vectors>([&](auto j) __attribute__((always_inline)) { sum[p][j] = zero(); });
  });
}

// Whether row ky of the taps lies in the source for any of the pixels.
template <int pixels>
__attribute__((always_inline)) inline bool has_row(const GatherTile& t, int64_t ky) {
  bool any = false;
  repeat<pixels>([&](auto p) __attribute__((always_inline)) {
    any = any || static_cast<uint64_t>(t.row[p] + ky * t.lattice[0].tap_step) < static_cast<uint64_t>(t.size[0]);
  });
  return any;
}

inline int64_t tap_index(const GatherTile& t, int64_t ky, int64_t kx) {
  return (t.lattice[0].first_tap + ky * t.lattice[0].tap_stride) * t.kernel_width + t.lattice[1].first_tap + kx * t.lattice[1].tap_stride;
}

// Each number of the source meets a row of weights.
template <int pixels, int vectors, bool inside>
void gather_tile(const GatherTile& t, const GatherPanel& panel) {
  Floats sum[pixels][vectors];
  clear(sum);
  const int64_t pieces = inside ? t.inside_pieces : t.lattice[1].taps, length = inside ? t.inside_length : t.depth;
  for (int64_t ky = 0; ky < t.lattice[0].taps; ++ky) {
    if (!inside && !has_row<pixels>(t, ky)) continue;
    for (int64_t kx = 0; kx < pieces; ++kx) {
      const float* from[pixels];
      find_sources<pixels, inside>(t, ky, kx, from);
      const float* weights = panel.weights + tap_index(t, ky, kx) * t.depth * panel.width;
      for (int64_t c = 0; c < length; ++c) {
        Floats w[vectors];
        repeat<vectors>([&](auto j) __attribute__((always_inline)) { w[j] = load(weights + j * lanes); });
        repeat<pixels>([&](auto p) __attribute__((always_inline)) {
          const Floats x = all(from[p][c]);
          repeat<vectors>([&](auto j) __attribute__((always_inline)) { sum[p][j] = fma(x, w[j], sum[p][j]); });
        });
        weights += panel.width;
      }
    }
  }
  finish(t, panel, sum);
}

// Each channel meets its own weights.
template <int pixels, int vectors, bool inside>
void depthwise_tile(const GatherTile& t, const GatherPanel& panel) {
  const Mask last = first(panel.columns - (vectors - 1) * lanes);
  Floats sum[pixels][vectors];
  clear(sum);
  for (int64_t ky = 0; ky < t.lattice[0].taps; ++ky) {
    for (int64_t kx = 0; kx < t.lattice[1].taps; ++kx) {
      const float* from[pixels];
      find_sources<pixels, inside>(t, ky, kx, from);
      const float* weights = panel.weights + tap_index(t, ky, kx) * panel.width;
      repeat<vectors>([&](auto j) __attribute__((always_inline)) {
        const Floats w = load(weights + j * lanes);
        repeat<pixels>([&](auto p) __attribute__((always_inline)) {
          const float* x = from[p] + panel.first_channel + j * lanes;
          sum[p][j] = fma(j == vectors - 1 ? load(x, last) : load(x), w, sum[p][j]);
        });
      });
    }
  }
  finish(t, panel, sum);
}

struct Functions {
  GatherFunction at[2][2][most_tile_pixels + 1][conv_tile_vectors + 1];
};

constexpr Functions make_functions() {
  Functions f = {};
  [&]<int... v>(std::integer_sequence<int, v...>) {
    (
        [&] {
          constexpr int vectors = v + 1;
          [&]<int... p>(std::integer_sequence<int, p...>) {
            ((f.at[0][0][p + 1][vectors] = gather_tile<p + 1, vectors, false>), ...);
            ((f.at[0][1][p + 1][vectors] = gather_tile<p + 1, vectors, true>), ...);
            ((f.at[1][0][p + 1][vectors] = depthwise_tile<p + 1, vectors, false>), ...);
            ((f.at[1][1][p + 1][vectors] = depthwise_tile<p + 1, vectors, true>), ...);
          }
          (std::make_integer_sequence<int, conv_tile_pixels(vectors)>());
        }(),
        ...);
  }
  (std::make_integer_sequence<int, conv_tile_vectors>());
  return f;
}

constexpr Functions functions = make_functions();

}  // namespace

GatherFunction gather_function(int64_t pixels, int64_t vectors, bool inside) { return functions.at[0][inside ? 1 : 0][pixels][vectors]; }

GatherFunction depthwise_function(int64_t pixels, int64_t vectors, bool inside) { return functions.at[1][inside ? 1 : 0][pixels][vectors]; }

}  // namespace NNRUN_ISA_NAMESPACE
