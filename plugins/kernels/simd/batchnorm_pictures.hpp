// How batch norms with a max-pool behind them are cut.
#pragma once

#include "batchnorm.hpp"

namespace {

// Bands of an even number of rows, so that windows are not cut.
template <class Arguments>
RowBlocks blocks_of_pictures(const Arguments& a) {
  return {a.batch, a.height, a.width, 2 * rows_per_range(2 * a.width * a.channels)};
}

// Rows of the pooled picture that the block makes.
inline Slice pooled_rows(const RowBlocks& blocks, int64_t block) {
  const Slice rows = blocks.picture_rows(block);
  return {rows.begin / 2, rows.end / 2};
}

inline void three_phases_of_pictures(const RowBlocks& blocks, int64_t channels, nnrun_work& work) {
  one_phase(work, blocks.count());
  work.phases = 3;
  work.ranges[1] = ceil_divide(channels, columns_in_range);
  work.ranges[2] = blocks.count();
  work.batch_phase = 3;
  work.ahead = 1;
  work.workspace = blocks.partial_bytes(channels);
}

}  // namespace
