// Integer arithmetic as <nnrun/fixed_kernels.h> has it: what overflows wraps. Signed overflow is undefined in C++, so it is done
// unsigned.
#pragma once

#include <cstdint>

namespace {

constexpr int32_t low32(int64_t x) { return static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint64_t>(x))); }
constexpr int32_t wrapping_add(int32_t a, int32_t b) { return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)); }
constexpr int64_t wrapping_add(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
constexpr int32_t wrapping_multiply(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

// How the four kinds of products differ: the numbers they take, one product, and what becomes of a sum. A sum starts at
// start(bias). finish() is only given what its row has: `shift` is 0 elsewhere.
struct Q16 {
  using X = int32_t;
  using W = int32_t;
  using Sum = int64_t;
  static constexpr Sum start(int32_t) { return 0; }
  static constexpr Sum add(Sum sum, X x, W w) { return wrapping_add(sum, static_cast<int64_t>(x) * w); }
  static constexpr int32_t finish(Sum sum, int32_t bias, int32_t) { return wrapping_add(low32(sum >> 16), bias); }
};

struct Q16Low {
  using X = int32_t;
  using W = int32_t;
  using Sum = int32_t;
  static constexpr Sum start(int32_t bias) { return bias; }
  static constexpr Sum add(Sum sum, X x, W w) { return wrapping_add(sum, wrapping_multiply(x, w) >> 16); }
  static constexpr int32_t finish(Sum sum, int32_t, int32_t) { return sum; }
};

struct S32 {
  using X = int32_t;
  using W = int32_t;
  using Sum = int32_t;
  static constexpr Sum start(int32_t bias) { return bias; }
  static constexpr Sum add(Sum sum, X x, W w) { return wrapping_add(sum, wrapping_multiply(x, w)); }
  static constexpr int32_t finish(Sum sum, int32_t, int32_t shift) { return sum >> shift; }
};

struct S8 {
  using X = uint8_t;
  using W = int8_t;
  using Sum = int32_t;
  static constexpr Sum start(int32_t bias) { return bias; }
  static constexpr Sum add(Sum sum, X x, W w) { return wrapping_add(sum, int32_t{x} * int32_t{w}); }
  static constexpr int32_t finish(Sum sum, int32_t, int32_t) { return sum; }
};

template <class Arguments>
constexpr int32_t shift_of(const Arguments& a) {
  if constexpr (requires { a.shift; }) {
    return a.shift;
  } else {
    return 0;
  }
}

// What a place outside of the picture counts as.
template <class Arguments>
constexpr int32_t outside_of(const Arguments& a) {
  if constexpr (requires { a.outside; }) {
    return a.outside;
  } else {
    return 0;
  }
}

}  // namespace
