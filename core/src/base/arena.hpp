// Places blocks with lifetimes in one buffer, so that blocks which never live at the same time share memory.
#pragma once

#include <cstddef>
#include <vector>

namespace nnrun::core {

struct Block {
  std::size_t bytes = 0;
  int first = 0, last = 0;  // points in time, both included
  std::size_t offset = 0;   // result; a multiple of tensor_alignment
};

// Sets every block's offset. Returns the bytes needed.
std::size_t place_blocks(std::vector<Block>& blocks);

}  // namespace nnrun::core
