#include "gemm_groups.hpp"
#include "prefetch.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// Products this short take as long as writing them: where C goes is fetched a few tiles ahead. Longer ones are slower with it.
constexpr int64_t short_depth = 32, tiles_ahead = 4;

void prefetch_c(const nnrun_gemm_f32& g, Slice rows, Slice columns) {
  const float* c = g.c + rows.begin * g.ldc;
  for (int64_t row = rows.begin; row < rows.end; ++row, c += g.ldc) {
    for (int64_t j = columns.begin; j < columns.end - 1; j += lanes) __builtin_prefetch(c + j, 1);
    __builtin_prefetch(c + columns.end - 1, 1);
  }
  prefetching_is_an_effect();
}

}  // namespace

// The next rows of A come while tiles are computed.
void pass_rows(const nnrun_gemm_f32& g, const Plan& plan, int64_t first_row, int64_t end_row, const float* b) {
  for (int64_t begin = first_row; begin < end_row; begin += plan.rows_in_block) {
    const TileRows tiles({begin, smaller(begin + plan.rows_in_block, end_row)}, plan.tile_rows);
    for (int64_t panel = 0; panel < plan.panels; ++panel) {
      const Slice columns = slice_of(g.n, plan.panel_columns, panel);
      Tile t = {};
      t.b = b + offset_of(plan, panel, {0, g.k});
      t.b_stride = plan.panel_columns;
      t.a_stride = g.lda;
      t.c_stride = g.ldc;
      t.columns = columns.size();
      t.depth = g.k;
      t.bias = g.bias ? g.bias + columns.begin : nullptr;
      t.accumulate = g.accumulate;
      t.relu = g.relu;
      for (int64_t i = 0; i < tiles.tiles; ++i) {
        const Slice r = tiles[i];
        t.a = g.a + r.begin * g.lda;
        t.c = g.c + r.begin * g.ldc + columns.begin;
        const bool fetch_a = panel == 0 && r.end + plan.rows_in_block <= g.m;
        t.next = fetch_a ? t.a + plan.rows_in_block * g.lda : nullptr;
        t.next_lines = ceil_divide(r.size() * prefetch_step, line_floats);
        const int64_t later = r.begin + tiles_ahead * plan.tile_rows;
        if (g.k <= short_depth) prefetch_c(g, {later, smaller(later + r.size(), end_row)}, columns);
        streaming_tile_function(r.size(), ceil_divide(t.columns, lanes), false)(t);
      }
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
