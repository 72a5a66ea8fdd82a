#include "base/arena.hpp"
#include "base/buffer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace nnrun::core;

namespace {

bool alive_together(const Block& a, const Block& b) { return a.first <= b.last && b.first <= a.last; }
bool overlap(const Block& a, const Block& b) { return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes; }

// The most bytes that are alive at one time: no placement needs fewer.
std::size_t lower_bound(const std::vector<Block>& blocks) {
  std::size_t most = 0;
  for (const Block& at : blocks) {
    std::size_t sum = 0;
    for (const Block& block : blocks) sum += block.first <= at.first && at.first <= block.last ? align_up(block.bytes) : 0;
    most = std::max(most, sum);
  }
  return most;
}

void check_placement(std::vector<Block>& blocks) {
  const std::size_t total = place_blocks(blocks);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    sum += align_up(blocks[i].bytes);
    REQUIRE(blocks[i].offset % tensor_alignment == 0);
    REQUIRE(blocks[i].offset + blocks[i].bytes <= total);
    for (std::size_t j = 0; j < i; ++j) {
      INFO("blocks " << i << " and " << j);
      REQUIRE((!alive_together(blocks[i], blocks[j]) || !overlap(blocks[i], blocks[j])));
    }
  }
  REQUIRE(total <= sum);
  REQUIRE(total >= lower_bound(blocks));
  // No proof: greedy placement stays far below this on all of these.
  REQUIRE(total <= 2 * lower_bound(blocks));
}

}  // namespace

TEST_CASE("blocks that live at the same time never overlap, for random lifetimes") {
  std::mt19937 random(1);
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  for (int round = 0; round < 500; ++round) {
    std::vector<Block> blocks;
    const int count = 1 + below(60), times = 1 + below(40);
    for (int i = 0; i < count; ++i) {
      const int first = below(times);
      // Some are empty, some as large as a picture, and most live briefly.
      const auto bytes = static_cast<std::size_t>(below(10) == 0 ? 0 : below(below(5) == 0 ? 1'000'000 : 1000));
      blocks.push_back({bytes, first, std::min(times - 1, first + below(below(4) == 0 ? times : 3)), 0});
    }
    check_placement(blocks);
  }
}

TEST_CASE("blocks that follow each other share memory") {
  // A chain: each block lives while the next one is made.
  std::vector<Block> chain;
  for (int i = 0; i < 50; ++i) chain.push_back({1024, i, i + 1, 0});
  CHECK(place_blocks(chain) == 2048);
  std::vector<Block> apart{{4096, 0, 1, 0}, {4096, 2, 3, 0}, {100, 4, 4, 0}};
  CHECK(place_blocks(apart) == 4096);
  std::vector<Block> none;
  CHECK(place_blocks(none) == 0);
}

TEST_CASE("buffers are aligned and zeroed") {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{63}, std::size_t{4096}, std::size_t{5'000'001}}) {
    const Buffer buffer(bytes);
    REQUIRE(buffer.size() >= bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % tensor_alignment == 0);
    CHECK(std::all_of(buffer.data(), buffer.data() + bytes, [](std::byte b) { return b == std::byte{0}; }));
  }
}
