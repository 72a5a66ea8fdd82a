// The transforms of F(4 x 4, 3 x 3), one dimension at a time, and of the gradient of its weights.
#pragma once

#include "four_floats.hpp"
#include "strips.hpp"

namespace {

constexpr int winograd_tile = 6, winograd_outputs = 4, winograd_positions = 36;

// B' x, of vectors of any length
template <class Vector>
__attribute__((always_inline)) inline void transform_source(const Vector (&x)[6], Vector (&t)[6]) {
  const Vector two = all<Vector>(2.0f), four = all<Vector>(4.0f), five = all<Vector>(5.0f);
  t[0] = fma(four, x[0], fma_negated(five, x[2], x[4]));
  const Vector a = fma_negated(four, x[2], x[4]), b = fma_negated(four, x[1], x[3]);
  t[1] = add(a, b);
  t[2] = subtract(a, b);
  const Vector c = subtract(x[4], x[2]), d = subtract(x[3], x[1]);
  t[3] = fma(two, d, c);
  t[4] = fma_negated(two, d, c);
  t[5] = fma(four, x[1], fma_negated(five, x[3], x[5]));
}

// G w
__attribute__((always_inline)) inline void transform_weights(Floats a, Floats b, Floats c, Floats (&t)[6]) {
  const Floats sixth = all(-1.0f / 6), ends = add(a, c);
  t[0] = multiply(all(0.25f), a);
  t[1] = multiply(sixth, add(ends, b));
  t[2] = multiply(sixth, subtract(ends, b));
  const Floats even = fma(a, all(1.0f / 24), multiply(c, all(1.0f / 6))), odd = multiply(b, all(1.0f / 12));
  t[3] = add(even, odd);
  t[4] = subtract(even, odd);
  t[5] = c;
}

// A' m
__attribute__((always_inline)) inline void transform_target(const Floats (&m)[6], Floats (&y)[4]) {
  const Floats two = all(2.0f), four = all(4.0f), eight = all(8.0f);
  const Floats p = add(m[1], m[2]), q = subtract(m[1], m[2]), r = add(m[3], m[4]), s = subtract(m[3], m[4]);
  y[0] = add(m[0], add(p, r));
  y[1] = fma(two, s, q);
  y[2] = fma(four, r, p);
  y[3] = fma(eight, s, add(q, m[5]));
}

// B' x B, x(y, x) being a tile's pixels: 36 vectors, each handed to put(position, vector).
template <class At, class Put>
__attribute__((always_inline)) inline void transform_source_tile(At at, Put put) {
  Floats columns[6][6];
  repeat<6>([&](auto x) __attribute__((always_inline)) {
    Floats from[6], t[6];
    repeat<6>([&](auto y) __attribute__((always_inline)) { from[y] = at(y, x); });
    transform_source(from, t);
    repeat<6>([&](auto y) __attribute__((always_inline)) { columns[y][x] = t[y]; });
  });
  repeat<6>([&](auto y) __attribute__((always_inline)) {
    Floats t[6];
    transform_source(columns[y], t);
    repeat<6>([&](auto x) __attribute__((always_inline)) { put(y * 6 + x, t[x]); });
  });
}

// Into the L1 cache, of a vector of channels: what the tile to the right sees and neither this one nor those above have seen.
template <int side = winograd_tile>
__attribute__((always_inline)) inline void prefetch_tile_to_the_right(const float* tile, int64_t row, int64_t pixel) {
  const float* first = tile + (side - winograd_outputs) * row + side * pixel;
  repeat<winograd_outputs>([&](auto y) __attribute__((always_inline)) {
    repeat<winograd_outputs>([&](auto x) __attribute__((always_inline)) { __builtin_prefetch(first + y * row + x * pixel); });
  });
}

// A dy
__attribute__((always_inline)) inline void transform_target_gradient(const Floats (&d)[4], Floats (&t)[6]) {
  const Floats two = all(2.0f), four = all(4.0f);
  const Floats even = add(d[0], d[2]), odd = add(d[1], d[3]);
  t[0] = d[0];
  t[1] = add(even, odd);
  t[2] = subtract(even, odd);
  const Floats a = fma(four, d[2], d[0]), b = multiply(two, fma(four, d[3], d[1]));
  t[3] = add(a, b);
  t[4] = subtract(a, b);
  t[5] = d[3];
}

// G' m
__attribute__((always_inline)) inline void transform_weights_gradient(const Floats (&m)[6], Floats (&w)[3]) {
  const Floats sixth = all(1.0f / 6), near = add(m[1], m[2]), far = add(m[3], m[4]);
  w[0] = fma(all(1.0f / 24), far, fma_negated(sixth, near, multiply(all(0.25f), m[0])));
  w[1] = fma(sixth, subtract(m[2], m[1]), multiply(all(1.0f / 12), subtract(m[3], m[4])));
  w[2] = fma(sixth, subtract(far, near), m[5]);
}

}  // namespace
