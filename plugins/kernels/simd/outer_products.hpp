// Sums of outer products, for gradients of weights: few results, each the sum over many pixels or tiles.
#pragma once

#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {

// c[i][j] (+)= sum over p < depth of a[p][i] * b[p][j], i < rows, j < columns; strides are floats from a row to the next.
struct OuterProducts {
  int64_t rows, columns, depth;
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  bool accumulate;
};

inline void add_outer_products(const OuterProducts& o) {
  const int64_t width = smaller(o.columns, 2 * lanes);
  const int64_t row_tiles = ceil_divide(o.rows, o.columns <= lanes ? narrow_tile_rows : tall_tile_rows);
  const int64_t least = o.rows / row_tiles, more = o.rows % row_tiles;  // rows of a tile; so many tiles have one more
  Tile t = {};
  t.a_stride = o.a_stride;
  t.b_stride = o.b_stride;
  t.c_stride = o.c_stride;
  t.depth = o.depth;
  t.accumulate = o.accumulate;
  for (int64_t column = 0; column < o.columns; column += width) {
    t.columns = smaller(width, o.columns - column);
    t.b = t.next = o.b + column;
    t.a = o.a;
    t.c = o.c + column;
    for (int64_t i = 0; i < row_tiles; ++i) {
      const int64_t rows = least + (i < more ? 1 : 0);
      tile_function(rows, ceil_divide(t.columns, lanes), true)(t);
      t.a += rows;
      t.c += rows * o.c_stride;
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
