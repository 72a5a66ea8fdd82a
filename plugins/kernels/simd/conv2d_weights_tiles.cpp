#include "conv2d_weights.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

template <int elements, int vectors>
void outer(const PixelBlock& block, float* to, int64_t width, bool accumulate) {
  Floats sum[elements][vectors];
  repeat<elements>([&](auto i) __attribute__((always_inline)) {
    repeat<vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] = zero(); });
  });
  for (int64_t row = 0; row < block.rows; ++row) {
    const float* x = block.x + row * block.x_row;
    const float* dy = block.dy + row * block.dy_row;
    for (int64_t column = 0; column < block.columns; ++column) {
      Floats g[vectors];
      repeat<vectors>([&](auto j) __attribute__((always_inline)) { g[j] = load(dy + j * lanes); });
      repeat<elements>([&](auto i) __attribute__((always_inline)) {
        const Floats value = all(x[i]);
        repeat<vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] = fma(value, g[j], sum[i][j]); });
      });
      x += block.x_pixel;
      dy += block.dy_pixel;
    }
  }
  repeat<elements>([&](auto i) __attribute__((always_inline)) {
    repeat<vectors>([&](auto j) __attribute__((always_inline)) {
      float* here = to + i * width + j * lanes;
      store(here, accumulate ? add(load(here), sum[i][j]) : sum[i][j]);
    });
  });
}

struct Functions {
  OuterFunction at[conv_outer_elements(1) + 1][conv_tile_vectors + 1];
};

constexpr Functions make_functions() {
  Functions f = {};
  [&]<int... v>(std::integer_sequence<int, v...>) {
    (
        [&] {
          constexpr int vectors = v + 1;
          [&]<int... e>(std::integer_sequence<int, e...>) { ((f.at[e + 1][vectors] = outer<e + 1, vectors>), ...); }
          (std::make_integer_sequence<int, conv_outer_elements(vectors)>());
        }(),
        ...);
  }
  (std::make_integer_sequence<int, conv_tile_vectors>());
  return f;
}

constexpr Functions functions = make_functions();

}  // namespace

OuterFunction outer_function(int64_t elements, int64_t vectors) { return functions.at[elements][vectors]; }

void sum_pixels(const PixelBlock& block, int64_t columns, float* to, bool accumulate) {
  for (int64_t j = 0; j < columns; j += lanes) {
    const Mask m = first(smaller(lanes, columns - j));
    Floats sum[4] = {zero(), zero(), zero(), zero()};  // chains, or the addition's latency would set the pace
    for (int64_t row = 0; row < block.rows; ++row) {
      const float* dy = block.dy + row * block.dy_row + j;
      int64_t column = 0;
      for (; column + 4 <= block.columns; column += 4) {
        repeat<4>([&](auto i) __attribute__((always_inline)) { sum[i] = add(sum[i], load(dy + i * block.dy_pixel, m)); });
        dy += 4 * block.dy_pixel;
      }
      for (; column < block.columns; ++column, dy += block.dy_pixel) sum[0] = add(sum[0], load(dy, m));
    }
    const Floats all_four = add(add(sum[0], sum[1]), add(sum[2], sum[3]));
    store(to + j, accumulate ? add(load(to + j, m), all_four) : all_four, m);
  }
}

void sum_products(const PixelBlock& block, int64_t columns, float* to, bool accumulate) {
  for (int64_t j = 0; j < columns; j += lanes) {
    const Mask m = first(smaller(lanes, columns - j));
    Floats sum[4] = {zero(), zero(), zero(), zero()};
    for (int64_t row = 0; row < block.rows; ++row) {
      const float* x = block.x + row * block.x_row + j;
      const float* dy = block.dy + row * block.dy_row + j;
      int64_t column = 0;
      for (; column + 4 <= block.columns; column += 4) {
        repeat<4>([&](auto i) __attribute__((always_inline)) {
          sum[i] = fma(load(x + i * block.x_pixel, m), load(dy + i * block.dy_pixel, m), sum[i]);
        });
        x += 4 * block.x_pixel;
        dy += 4 * block.dy_pixel;
      }
      for (; column < block.columns; ++column, x += block.x_pixel, dy += block.dy_pixel) sum[0] = fma(load(x, m), load(dy, m), sum[0]);
    }
    const Floats all_four = add(add(sum[0], sum[1]), add(sum[2], sum[3]));
    store(to + j, accumulate ? add(load(to + j, m), all_four) : all_four, m);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
