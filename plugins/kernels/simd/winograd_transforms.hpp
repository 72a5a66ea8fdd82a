// The three transforms of F(4 x 4, 3 x 3), one dimension at a time.
#pragma once

#include "four_floats.hpp"

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

}  // namespace
