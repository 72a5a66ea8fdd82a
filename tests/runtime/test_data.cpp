#include "data.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using nnrun::core::share_of_classes;

TEST_CASE("a share of classes is the share of each, and of all") {
  std::vector<std::int32_t> labels;
  for (std::int32_t label = 0; label < 3; ++label) labels.insert(labels.end(), static_cast<std::size_t>(7 + label), label);
  CHECK(share_of_classes(labels, 3, 0.5) == std::vector<std::int64_t>{4, 4, 4});  // of 7, 8, 9: 3.5, 4, 4.5; 12 together
  CHECK(share_of_classes(labels, 3, 1.0 / 3) == std::vector<std::int64_t>{2, 3, 3});
  CHECK(share_of_classes(labels, 4, 0.01) == std::vector<std::int64_t>{0, 0, 0, 0});
  for (double share = 0.02; share < 1; share += 0.07) {
    const auto counts = share_of_classes(labels, 3, share);
    CHECK(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) == std::llround(share * 24));
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(static_cast<double>(counts[i]) - share * static_cast<double>(7 + i)) < 1);
  }
}
