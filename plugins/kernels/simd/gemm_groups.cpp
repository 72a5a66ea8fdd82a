#include "gemm_groups.hpp"

#include "prefetch.hpp"

namespace NNRUN_ISA_NAMESPACE {

void multiply_group(const nnrun_gemm_f32& g, const Plan& plan, int64_t first_row, int64_t end_row, int64_t first_panel, int64_t end_panel,
                    const float* shared_b, float* private_a, float* private_b) {
  const TileRows tiles({first_row, end_row}, plan.tile_rows);
  for (int64_t p = 0; p < g.k; p += plan.depth) {
    const Slice depth = depth_of(g, plan, p / plan.depth);
    const bool last = depth.end == g.k;
    if (plan.pack_a) {
      const auto pack = g.transpose_a ? pack_rows : pack_transposed;
      for (int64_t i = 0; i < tiles.tiles; ++i) {
        const Slice r = tiles[i];
        pack(a_at(g, r.begin, p), g.lda, r.size(), depth.size(), private_a + (r.begin - first_row) * depth.size(), r.size());
      }
    }
    for (int64_t panel = first_panel; panel < end_panel; ++panel) {
      const Slice columns = slice_of(g.n, plan.panel_columns, panel);
      Tile t;
      t.b = b_at(g, p, columns.begin);
      t.b_stride = g.ldb;
      if (plan.pack_b != Plan::PackB::never) {
        t.b = shared_b ? shared_b + offset_of(plan, panel, depth) : private_b;
        t.b_stride = plan.panel_columns;
        if (!shared_b) pack_b_panel(g, plan, panel, depth, private_b);
      }
      // The tiles of this panel share the rows of the next one; of a single panel, those of the next depth.
      const bool next_panel = panel + 1 < plan.panels && (shared_b || plan.pack_b == Plan::PackB::never);
      const bool next_depth = plan.panels == 1 && plan.pack_b == Plan::PackB::never && !last;
      const float* next = next_depth    ? b_at(g, depth.end, columns.begin)
                          : !next_panel ? nullptr
                          : shared_b    ? shared_b + offset_of(plan, panel + 1, depth)
                                        : t.b + plan.panel_columns;
      const int64_t rows_in_tile = depth.size() / prefetch_step;
      t.next_stride = t.b_stride;
      t.c_stride = g.ldc;
      t.columns = columns.size();
      t.depth = depth.size();
      t.bias = g.bias && last ? g.bias + columns.begin : nullptr;
      t.accumulate = g.accumulate || p > 0;
      t.relu = g.relu && last;
      for (int64_t i = 0; i < tiles.tiles; ++i) {
        const Slice r = tiles[i];
        t.a = plan.pack_a ? private_a + (r.begin - first_row) * depth.size() : a_at(g, r.begin, p);
        t.a_stride = plan.pack_a ? r.size() : g.lda;
        t.next = next ? next + smaller(i * rows_in_tile, depth.size() - rows_in_tile) * t.next_stride : nullptr;
        t.c = g.c + r.begin * g.ldc + columns.begin;
        if (next_depth && !g.transpose_a) {
          for (int64_t row = r.begin; row < r.end; ++row) prefetch_floats(a_at(g, row, depth.end), smaller(plan.depth, g.k - depth.end));
        }
        tile_function(r.size(), ceil_divide(t.columns, lanes), plan.pack_a || g.transpose_a)(t);
      }
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
