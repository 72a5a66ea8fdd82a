// exp() of a vector.
#pragma once

#include <vector.hpp>

namespace {

// exp(x) for x <= 88, to about 1 ulp; 0 for -infinity, NaN for NaN.
//
// x = n ln 2 + r with |r| <= ln(2) / 2, so exp(x) = 2^n exp(r). ln 2 is split in two parts (Cody and Waite): the first has 9
// significant bits, so n times it is exact. exp(r) is 1 + r + r^2/2 + c3 r^3 + ... + c6 r^6, its coefficients fitted for the
// least largest relative error (weighted least squares): 3.9e-9 on that interval.
inline Floats exponential(Floats x) {
  x = maximum(all(-110.0f), x);  // exp(-110) is below the smallest float, and NaN passes through
  const Floats n = round_to_integer(multiply(x, all(1.44269504f)));
  const Floats r = fma_negated(n, all(-2.12194440e-4f), fma_negated(n, all(0.693359375f), x));
  Floats p = all(0.00138637889f);
  p = fma(p, r, all(0.00836748350f));
  p = fma(p, r, all(0.0416672379f));
  p = fma(p, r, all(0.166665345f));
  p = fma(p, r, all(0.5f));
  p = fma(p, r, all(1.0f));
  p = fma(p, r, all(1.0f));
  return times_power_of_two(p, n);
}

}  // namespace
