// Walks over columns in strips that fit registers.
#pragma once

#include <vector.hpp>

#include <type_traits>
#include <utility>

#include "../common/cut.hpp"

namespace {

// body(0), ..., body(count - 1), unrolled; the index is a compile-time constant, so arrays of vectors become registers.
template <int count, class Body>
__attribute__((always_inline)) inline void repeat(Body&& body) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) { (body(std::integral_constant<int, i>()), ...); }
  (std::make_integer_sequence<int, count>());
}

constexpr int strip_vectors = 4;  // enough independent sums to hide an addition's latency

// body(vectors, j, last) for columns j..j + vectors * lanes - 1; `last` masks the last of these vectors.
template <class Body>
inline void for_each_strip(Slice columns, Body body) {
  int64_t j = columns.begin;
  for (; j + strip_vectors * lanes <= columns.end; j += strip_vectors * lanes)
    body(std::integral_constant<int, strip_vectors>(), j, first(lanes));
  for (; j < columns.end; j += lanes) body(std::integral_constant<int, 1>(), j, first(smaller(lanes, columns.end - j)));
}

// The same in as few strips as there can be: the last one has 1 to strip_vectors vectors.
template <class Body>
inline void for_each_wide_strip(Slice columns, Body body) {
  static_assert(strip_vectors == 4);
  int64_t j = columns.begin;
  for (; j + strip_vectors * lanes <= columns.end; j += strip_vectors * lanes)
    body(std::integral_constant<int, strip_vectors>(), j, first(lanes));
  const int64_t vectors = ceil_divide(columns.end - j, lanes);
  const Mask last = first(columns.end - j - (vectors - 1) * lanes);
  if (vectors == 1) body(std::integral_constant<int, 1>(), j, last);
  if (vectors == 2) body(std::integral_constant<int, 2>(), j, last);
  if (vectors == 3) body(std::integral_constant<int, 3>(), j, last);
  if (vectors == 4) body(std::integral_constant<int, 4>(), j, last);
}

}  // namespace
