#include "training/data.hpp"

#include <nnrun/random.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace nnrun;

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  constexpr std::uint32_t ones = 0xffffffffu;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  // Digits of pi.
  CHECK(philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
        Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("random numbers are a function of key and index") {
  const nnrun_random_key key{0x0123456789abcdefu, NNRUN_STREAM_LAYER, 7, 3};
  Random sequence(key);
  const Random lookup(key);
  for (std::uint64_t i = 0; i < 1000; ++i) REQUIRE(sequence.next() == lookup.word(i));
  const auto first = [](nnrun_random_key k) { return Random(k).block(0); };
  const auto base = first(key);
  for (const nnrun_random_key other :
       {nnrun_random_key{0x0123456789abcdeeu, NNRUN_STREAM_LAYER, 7, 3}, nnrun_random_key{0x1123456789abcdefu, NNRUN_STREAM_LAYER, 7, 3},
        nnrun_random_key{key.seed, NNRUN_STREAM_ORDER, 7, 3}, nnrun_random_key{key.seed, NNRUN_STREAM_LAYER, 8, 3},
        nnrun_random_key{key.seed, NNRUN_STREAM_LAYER, 7, 4}}) {
    CHECK(first(other) != base);
  }
}

TEST_CASE("uniform numbers lie in [0, 1) and spread") {
  CHECK(Random::to_uniform(0) == 0.0f);
  CHECK(Random::to_uniform(0xffffffffu) < 1.0f);
  Random random({42, NNRUN_STREAM_WEIGHTS, 0, 0});
  double sum = 0, squares = 0;
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i) {
    const auto x = static_cast<double>(random.next_uniform(-1, 1));
    REQUIRE(x >= -1);
    REQUIRE(x < 1);
    sum += x;
    squares += x * x;
  }
  // Six standard deviations.
  CHECK(std::abs(sum / count) < 6 * std::sqrt(1.0 / 3 / count));
  CHECK(std::abs(squares / count - 1.0 / 3) < 6 * std::sqrt(4.0 / 45 / count));
}

TEST_CASE("an epoch's order is a permutation, another one each epoch and seed") {
  std::vector<std::uint32_t> order, again, other;
  for (const std::int64_t count : {1, 2, 3, 10, 1000, 60'000}) {
    core::shuffle(order, count, 42, NNRUN_STREAM_ORDER, 0);
    REQUIRE(order.size() == static_cast<std::size_t>(count));
    std::vector<std::uint32_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) REQUIRE(sorted[i] == i);
  }
  core::shuffle(order, 1000, 42, NNRUN_STREAM_ORDER, 3);
  core::shuffle(again, 1000, 42, NNRUN_STREAM_ORDER, 3);
  CHECK(order == again);
  core::shuffle(other, 1000, 42, NNRUN_STREAM_ORDER, 4);
  CHECK(order != other);
  core::shuffle(other, 1000, 43, NNRUN_STREAM_ORDER, 3);
  CHECK(order != other);
  core::shuffle(other, 1000, 42, NNRUN_STREAM_SPLIT, 3);
  CHECK(order != other);
}

TEST_CASE("all orders of few samples are about equally frequent") {
  std::vector<int> frequency(24, 0);
  std::vector<std::uint32_t> order;
  constexpr int rounds = 24'000;
  for (int epoch = 0; epoch < rounds; ++epoch) {
    core::shuffle(order, 4, 1, NNRUN_STREAM_ORDER, epoch);
    int index = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      int smaller = 0;
      for (std::size_t j = i + 1; j < 4; ++j) smaller += order[j] < order[i] ? 1 : 0;
      index = index * static_cast<int>(4 - i) + smaller;
    }
    ++frequency[static_cast<std::size_t>(index)];
  }
  for (const int count : frequency) CHECK(std::abs(count - rounds / 24) < 200);  // six standard deviations
}
