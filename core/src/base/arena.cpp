#include "base/arena.hpp"

#include "base/buffer.hpp"

#include <algorithm>
#include <numeric>

namespace nnrun::core {

std::size_t place_blocks(std::vector<Block>& blocks) {
  // Greedy by size (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", section 5.1): the largest
  // block first, each at the lowest offset that is free during its whole life.
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::size_t total = 0;
  std::vector<std::size_t> placed;
  for (const std::size_t index : order) {
    Block& block = blocks[index];
    const std::size_t bytes = align_up(block.bytes);
    std::vector<std::pair<std::size_t, std::size_t>> taken;
    for (const std::size_t other : placed) {
      if (blocks[other].first <= block.last && block.first <= blocks[other].last) {
        taken.emplace_back(blocks[other].offset, blocks[other].offset + align_up(blocks[other].bytes));
      }
    }
    std::sort(taken.begin(), taken.end());
    block.offset = 0;
    for (const auto& [begin, end] : taken) {
      if (block.offset + bytes <= begin) break;
      block.offset = std::max(block.offset, end);
    }
    total = std::max(total, block.offset + bytes);
    placed.push_back(index);
  }
  return total;
}

}  // namespace nnrun::core
