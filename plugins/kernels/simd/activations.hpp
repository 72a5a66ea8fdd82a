// sigmoid, tanh and the normal distribution of a vector.
#pragma once

#include "exponential.hpp"

namespace {

inline Floats negative(Floats x) { return subtract(zero(), x); }
inline Floats minus_magnitude(Floats x) { return minimum(x, negative(x)); }                          // -|x|; NaN passes
inline Floats clamp(Floats x, float bound) { return minimum(all(bound), maximum(all(-bound), x)); }  // NaN passes

// 1 / (1 + exp(-x)), to 3 ulp: through exp(-|x|), which never overflows.
inline Floats sigmoid(Floats x) {
  const Floats e = exponential(minus_magnitude(x));
  return divide(select(greater(x, zero()), all(1), e), add(all(1), e));
}

// To 4 ulp. Below 0.7 the quotient of exponentials would cancel: there it is x + x^3 P(x^2), fitted for the least largest relative
// error, 1.5e-8.
inline Floats hyperbolic_tangent(Floats x) {
  const Floats small = clamp(x, 0.7f), square = multiply(small, small);
  Floats p = all(-0.00513862327f);
  p = fma(p, square, all(0.0200919344f));
  p = fma(p, square, all(-0.0535588507f));
  p = fma(p, square, all(0.133291106f));
  p = fma(p, square, all(-0.333331899f));
  const Floats near = fma(multiply(p, square), small, small);
  const Floats minus = minus_magnitude(x);
  const Floats e = exponential(add(minus, minus));
  const Floats far = divide(subtract(all(1), e), add(all(1), e));
  const Floats with_sign = select(greater(x, zero()), far, negative(far));
  return select(greater(all(-0.7f), minus), with_sign, near);
}

// exp(-x^2 / 2)
inline Floats bell(Floats x) { return exponential(multiply(all(-0.5f), multiply(x, x))); }

// Phi(x) = erfc(-x / sqrt(2)) / 2, given bell(x). erfc(z) = exp(-z^2) t P(t) with t = 1 / (1 + 0.3 z) for z >= 0, P fitted for the
// least largest relative error on 0..14: 3.9e-8.
inline Floats normal_distribution(Floats x, Floats bell_of_x) {
  const Floats z = multiply(minus_magnitude(x), all(-0.707106781f));
  const Floats t = divide(all(1), fma(z, all(0.3f), all(1)));
  Floats p = all(-0.126618922f);
  p = fma(p, t, all(0.471837400f));
  p = fma(p, t, all(-0.484714419f));
  p = fma(p, t, all(0.517074049f));
  p = fma(p, t, all(-0.0740660653f));
  p = fma(p, t, all(0.206392154f));
  p = fma(p, t, all(0.150467128f));
  p = fma(p, t, all(0.170423955f));
  p = fma(p, t, all(0.169204742f));
  const Floats tail = multiply(multiply(all(0.5f), multiply(p, t)), bell_of_x);
  return select(greater(x, zero()), subtract(all(1), tail), tail);
}

}  // namespace
