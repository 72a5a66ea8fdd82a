// How gemm_f32 does a shape: a pure function of it.
#pragma once

#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

struct Plan {
  enum class Method {
    tiles,  // C in tiles that fit the registers
    rows,   // of them, where B stays in the caches and A and C pass by: all columns for some rows, then the next rows
    dots,   // few rows, B stored (n, k): dot products along k
    split   // little C, long k: k in chunks, each with its own partial C, which are then added in order
  };
  enum class PackB {
    never,     // rows of B are read where they are
    in_range,  // each range packs its panels, a block of depth at a time
    before     // phase 0 packs all of B for the ranges of phase 1
  };

  Method method = Method::tiles;
  PackB pack_b = PackB::never;
  bool pack_a = false;
  int64_t tile_rows = 0;      // at most; the rows of a group are shared out evenly
  int64_t panel_columns = 0;  // the width of a tile
  int64_t panels = 0;         // in n
  int64_t depth = 0;          // of a block of k
  int64_t rows_in_group = 0, row_groups = 0;
  int64_t rows_in_block = 0;  // Method::rows: at a time
  int64_t panels_in_group = 0, column_groups = 0;
  int64_t chunk = 0, chunks = 0;  // of k: Method::split
  int64_t partial = 0;            // floats of a chunk's own C
  int64_t chunk_space = 0;        // and with its workspace

  // Floats in the workspace.
  int64_t shared_b = 0;                  // PackB::before: all of B
  int64_t private_a = 0, private_b = 0;  // for each range

  int64_t workspace = 0;  // all of it, for any method: see workspace_of() in gemm_plan.cpp

  int64_t ranges() const { return row_groups * column_groups; }
};

// Plans are remembered: a step asks for the same few shapes hundreds of times, and small products take no longer than planning them.
Plan plan_of(const nnrun_gemm_f32& g);

// Chunk `index` of Method::split as a problem of its own, whose C is `partial`, (m, n).
nnrun_gemm_f32 chunk_of(const nnrun_gemm_f32& g, const Plan& plan, int64_t index, float* partial);

}  // namespace NNRUN_ISA_NAMESPACE
