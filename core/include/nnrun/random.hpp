// Counter-based random numbers: number i of a key is a pure function of (key, i), so that it does not matter
// which thread asks, in which order, or after which resume.
#pragma once

#include <nnrun/nnrun.h>

#include <array>
#include <cstdint>

namespace nnrun {

// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11).
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

// The sequence of one key: word(i) for any i, or next() one after the other.
class Random {
 public:
  explicit Random(const nnrun_random_key& key) : key_(key) {}

  // Words 4 * block .. 4 * block + 3.
  std::array<std::uint32_t, 4> block(std::uint32_t index) const {
    return philox({index, key_.minor, key_.major, key_.stream},
                  {static_cast<std::uint32_t>(key_.seed), static_cast<std::uint32_t>(key_.seed >> 32)});
  }

  std::uint32_t word(std::uint64_t index) const { return block(static_cast<std::uint32_t>(index / 4))[index % 4]; }

  std::uint32_t next() {
    if (position_ % 4 == 0) words_ = block(static_cast<std::uint32_t>(position_ / 4));
    return words_[position_++ % 4];
  }

  // In [0, 1), with 24 random bits: every value is exact in float.
  float next_uniform() { return to_uniform(next()); }

  float next_uniform(float low, float high) { return low + (high - low) * next_uniform(); }

  static float to_uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

 private:
  nnrun_random_key key_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace nnrun
