// Vectors of 4 floats, beside those of the library's own length, for what comes in threes and fours.
#pragma once

#include <vector.hpp>

namespace {

using FourFloats = __m128;

template <class Vector>
Vector all(float x);
template <>
inline Floats all<Floats>(float x) {
  return all(x);
}
template <>
inline FourFloats all<FourFloats>(float x) {
  return _mm_set1_ps(x);
}

inline FourFloats load_four(const float* p) { return _mm_loadu_ps(p); }
inline void store(float* p, FourFloats x) { _mm_storeu_ps(p, x); }
inline FourFloats add(FourFloats a, FourFloats b) { return _mm_add_ps(a, b); }
inline FourFloats subtract(FourFloats a, FourFloats b) { return _mm_sub_ps(a, b); }
inline FourFloats fma(FourFloats a, FourFloats b, FourFloats c) { return _mm_fmadd_ps(a, b, c); }           // a * b + c
inline FourFloats fma_negated(FourFloats a, FourFloats b, FourFloats c) { return _mm_fnmadd_ps(a, b, c); }  // c - a * b

}  // namespace
