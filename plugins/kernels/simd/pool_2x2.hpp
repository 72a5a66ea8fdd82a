// Bias, ReLU and the largest of 2 x 2, as the fused convolutions and batch norms end.
#pragma once

#include <vector.hpp>

namespace {

struct Pooled {
  Floats y, argmax;
};

// Of (a b / c d); the first of equal ones.
__attribute__((always_inline)) inline Pooled largest_of_four(Floats a, Floats b, Floats c, Floats d) {
  const Mask right_above = greater_or_nan(b, a), right_below = greater_or_nan(d, c);
  const Floats above = select(right_above, b, a), below = select(right_below, d, c);
  const Mask is_below = greater_or_nan(below, above);
  Pooled p;
  p.argmax = select(is_below, select(right_below, all(3.0f), all(2.0f)), select(right_above, all(1.0f), zero()));
  p.y = select(is_below, below, above);
  return p;
}

template <bool relu>
__attribute__((always_inline)) inline Pooled with_relu(Pooled p) {
  if constexpr (relu) {
    p.argmax = select(greater(p.y, zero()), p.argmax, all(4.0f));
    p.y = maximum(zero(), p.y);
  }
  return p;
}

// A bias common to all four changes nothing about who is the largest.
template <bool relu>
__attribute__((always_inline)) inline Pooled largest_of_four(Floats a, Floats b, Floats c, Floats d, Floats bias) {
  Pooled p = largest_of_four(a, b, c, d);
  p.y = add(p.y, bias);
  return with_relu<relu>(p);
}

}  // namespace
