// What a range of gemm_f32 does: some rows of C, and some panels of them or all.
#pragma once

#include "gemm.hpp"
#include "gemm_plan.hpp"

namespace NNRUN_ISA_NAMESPACE {

// Method::tiles: block of depth by block, of each panel by panel. `shared_b` is all of B packed, or NULL.
void multiply_group(const nnrun_gemm_f32& g, const Plan& plan, int64_t first_row, int64_t end_row, int64_t first_panel, int64_t end_panel,
                    const float* shared_b, float* private_a, float* private_b);

// Method::rows: all columns for some rows, then the next rows. `b` is all of B packed.
void pass_rows(const nnrun_gemm_f32& g, const Plan& plan, int64_t first_row, int64_t end_row, const float* b);

namespace {

inline Slice depth_of(const nnrun_gemm_f32& g, const Plan& plan, int64_t block) { return slice_of(g.k, plan.depth, block); }

inline const float* a_at(const nnrun_gemm_f32& g, int64_t i, int64_t p) {
  return g.transpose_a ? g.a + p * g.lda + i : g.a + i * g.lda + p;
}
inline const float* b_at(const nnrun_gemm_f32& g, int64_t p, int64_t j) {
  return g.transpose_b ? g.b + j * g.ldb + p : g.b + p * g.ldb + j;
}

inline void pack_b_panel(const nnrun_gemm_f32& g, const Plan& plan, int64_t panel, Slice depth, float* to) {
  const Slice columns = slice_of(g.n, plan.panel_columns, panel);
  const auto pack = g.transpose_b ? pack_transposed : pack_rows;
  pack(b_at(g, depth.begin, columns.begin), g.ldb, columns.size(), depth.size(), to, plan.panel_columns);
}

// Where PackB::before keeps a panel: blocks of depth, in them panels.
inline int64_t offset_of(const Plan& plan, int64_t panel, Slice depth) {
  return (plan.panels * depth.begin + panel * depth.size()) * plan.panel_columns;
}

// Shares out the rows of a group among as few tiles as it takes, evenly.
class TileRows {
 public:
  TileRows(Slice rows, int64_t most_rows)
      : tiles(ceil_divide(rows.size(), most_rows)), begin_(rows.begin), least_(rows.size() / tiles), more_(rows.size() % tiles) {}
  Slice operator[](int64_t tile) const {
    const int64_t begin = begin_ + tile * least_ + smaller(tile, more_);
    return {begin, begin + least_ + (tile < more_ ? 1 : 0)};
  }
  const int64_t tiles;

 private:
  int64_t begin_, least_, more_;
};

}  // namespace
}  // namespace NNRUN_ISA_NAMESPACE
