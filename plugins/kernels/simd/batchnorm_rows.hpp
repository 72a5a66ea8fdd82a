// How batch norms without a max-pool are cut.
#pragma once

#include "batchnorm.hpp"

namespace {

// Slices of the batch shall be whole blocks. That is so with blocks of one size, if a few more of them than there must be are enough for
// that. Otherwise rows are cut in halves, as long as they come out even, and then each piece into a power of two of blocks: a slice that is
// made of whole samples is made of whole pieces.
inline RowBlocks blocks_of_rows(int64_t rows, int64_t columns) {
  constexpr int64_t fewest_rows = 64, tries = 32;
  const int64_t most = larger(fewest_rows, rows_per_range(columns)), fewest = ceil_divide(rows, most);
  for (int64_t blocks = fewest; blocks < fewest + tries && blocks < 2 * fewest; ++blocks) {
    if (rows % blocks == 0) return {1, rows, 1, rows / blocks};
  }
  int64_t pieces = 1, blocks = 1;
  while (rows % (2 * pieces) == 0 && 2 * pieces <= fewest) pieces *= 2;
  const int64_t rows_of_piece = rows / pieces;
  while (rows_of_piece > blocks * most) blocks *= 2;
  return {pieces, rows_of_piece, 1, ceil_divide(rows_of_piece, blocks)};
}

inline bool hold_slices(const RowBlocks& blocks) {
  const int64_t count = blocks.count();
  return blocks.height % blocks.band == 0 || (count & (count - 1)) == 0;
}

// What is one block needs one phase, cut by columns.
inline void three_phases(const RowBlocks& blocks, int64_t columns, nnrun_work& work) {
  one_phase(work, ceil_divide(columns, columns_in_range));
  if (blocks.count() == 1) return;
  work.phases = 3;
  work.ranges[1] = work.ranges[0];
  work.ranges[0] = work.ranges[2] = blocks.count();
  if (hold_slices(blocks)) {
    work.batch_phase = 3;
    work.ahead = 1;
  }
  work.workspace = blocks.partial_bytes(columns);
}

}  // namespace
