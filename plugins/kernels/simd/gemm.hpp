// The parts of gemm_f32: plan, packing, tiles, dot products.
#pragma once

#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

// One tile of C, rows x columns, gets the sum over p < depth of a(i, p) * b[p * b_stride + j].
struct Tile {
  const float* a;  // a(i, p) is a[i * a_stride + p], or a[p * a_stride + i]: see multiply_tile()
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  int64_t columns;  // 1..vectors * lanes
  int64_t depth;
  const float* next;  // what to fetch into the L2 cache meanwhile: a row of the next panel of B every prefetch_step; or NULL
  int64_t next_stride;
  int64_t next_lines;  // see streaming_tile_function()
  const float* bias;   // (columns), or NULL
  bool accumulate;     // C += ...
  bool relu;
};

using TileFunction = void (*)(const Tile& tile);

constexpr int prefetch_step = 4;

// The function for `rows` x `vectors` vectors; vectors <= widest_tile(rows).
TileFunction tile_function(int64_t rows, int64_t vectors, bool a_by_columns);

// The same for operands that pass by once: fetches `next_lines` cache lines from `next` on into the L1 cache every prefetch_step, and leaves
// it to its caller to fetch C.
TileFunction streaming_tile_function(int64_t rows, int64_t vectors, bool a_by_columns);

// Tiles for them are as wide as C, or the part of C that wastes the fewest lanes: a tile's vectors, and its rows at most.
int64_t wide_tile_vectors(int64_t columns);
int64_t wide_tile_rows(int64_t vectors);

// to[p * to_stride + j] = from[j * from_stride + p] for j < columns, p < depth. Columns up to the next multiple of `lanes` are
// written too: with zeros, or, where they belong to the row p + 1, before its own values are.
void pack_transposed(const float* from, int64_t from_stride, int64_t columns, int64_t depth, float* to, int64_t to_stride);

// to[p * to_stride + j] = from[p * from_stride + j]; writes behind the columns as pack_transposed().
void pack_rows(const float* from, int64_t from_stride, int64_t columns, int64_t depth, float* to, int64_t to_stride);

// A few rows of A, stored (m, k), times B stored (n, k): columns first_column to
// end_column - 1. Nothing needs packing where both run along k.
constexpr int64_t most_dot_rows = 4;
void multiply_by_dots(const nnrun_gemm_f32& g, int64_t first_column, int64_t end_column);

}  // namespace NNRUN_ISA_NAMESPACE
