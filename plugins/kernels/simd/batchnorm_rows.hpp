// How batch norms without a max-pool are cut.
#pragma once

#include "batchnorm.hpp"

namespace {

// Blocks of one size, where a few more of them than there must be are enough for that: then slices of the batch are whole blocks.
inline RowBlocks blocks_of_rows(int64_t rows, int64_t columns) {
  constexpr int64_t fewest_rows = 64, tries = 32;
  const int64_t most = larger(fewest_rows, rows_per_range(columns)), fewest = ceil_divide(rows, most);
  for (int64_t blocks = fewest; blocks < fewest + tries && blocks < 2 * fewest; ++blocks) {
    if (rows % blocks == 0) return {1, rows, 1, rows / blocks};
  }
  return {1, rows, 1, most};
}

// What is one block needs one phase, cut by columns.
inline void three_phases(const RowBlocks& blocks, int64_t columns, nnrun_work& work) {
  one_phase(work, ceil_divide(columns, columns_in_range));
  if (blocks.count() == 1) return;
  work.phases = 3;
  work.ranges[1] = work.ranges[0];
  work.ranges[0] = work.ranges[2] = blocks.count();
  if (blocks.height % blocks.band == 0) {
    work.batch_phase = 3;
    work.ahead = 1;
  }
  work.workspace = blocks.partial_bytes(columns);
}

}  // namespace
