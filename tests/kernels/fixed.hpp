// What fixed-point kernels must give: exact sums in 128 bits, which are only then cut down to what <nnrun/fixed_kernels.h> says.
#pragma once

#include <nnrun/fixed_kernels.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

__extension__ typedef __int128 Wide;

inline Wide floor_divide(Wide a, Wide b) { return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0); }
// The number in -2^(bits-1)..2^(bits-1)-1 that is x modulo 2^bits.
inline Wide wrapped(Wide x, int bits) {
  const Wide span = Wide{1} << bits;
  Wide rest = x - floor_divide(x, span) * span;
  return rest >= span / 2 ? rest - span : rest;
}
inline int32_t wrapped32(Wide x) { return static_cast<int32_t>(wrapped(x, 32)); }

// One result of a row's products: add all of them, then ask.
struct FixedSumQ16 {
  Wide sum = 0;
  void add(int64_t x, int64_t w) { sum += x * w; }
  template <class Arguments>
  int32_t result(const Arguments&, int32_t bias) const {
    return wrapped32(floor_divide(wrapped(sum, 64), 65536) + bias);
  }
};
struct FixedSumQ16Low {
  Wide sum = 0;
  void add(int64_t x, int64_t w) { sum += floor_divide(wrapped(Wide{x} * w, 32), 65536); }
  template <class Arguments>
  int32_t result(const Arguments&, int32_t bias) const {
    return wrapped32(sum + bias);
  }
};
struct FixedSumS32 {
  Wide sum = 0;
  void add(int64_t x, int64_t w) { sum += Wide{x} * w; }
  template <class Arguments>
  int32_t result(const Arguments& a, int32_t bias) const {
    return static_cast<int32_t>(floor_divide(wrapped(sum + bias, 32), Wide{1} << a.shift));
  }
};
struct FixedSumS8 {
  Wide sum = 0;
  void add(int64_t x, int64_t w) { sum += x * w; }
  template <class Arguments>
  int32_t result(const Arguments&, int32_t bias) const {
    return wrapped32(sum + bias);
  }
};

// Numbers of all sizes, and every eighth one at the edge of what T holds.
template <class T>
std::vector<T> integers(std::mt19937& random, int64_t count) {
  constexpr T edges[] = {std::numeric_limits<T>::min(),
                         std::numeric_limits<T>::max(),
                         0,
                         1,
                         static_cast<T>(-1),
                         static_cast<T>(std::numeric_limits<T>::min() + 1)};
  std::vector<T> numbers(static_cast<size_t>(count));
  for (T& number : numbers) {
    const uint32_t bits = static_cast<uint32_t>(random());
    if (random() % 8 == 0) {
      number = edges[bits % std::size(edges)];
    } else {
      number = static_cast<T>(static_cast<int32_t>(bits) >> random() % (8 * sizeof(T)) >> (32 - 8 * sizeof(T)));
    }
  }
  return numbers;
}

inline int64_t between(std::mt19937& random, int64_t smallest, int64_t largest) {
  return smallest + static_cast<int64_t>(random() % static_cast<uint64_t>(largest - smallest + 1));
}

constexpr int random_problems = 10000;  // of each row
