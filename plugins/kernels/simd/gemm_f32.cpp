#include "gemm.hpp"
#include "gemm_plan.hpp"
#include "prefetch.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t panels_to_pack = 8;  // in a range of phase 0
constexpr int64_t rows_to_pack = lanes;
constexpr int64_t short_depth = 96, tiles_ahead = 2, passing_tiles_ahead = 4;
constexpr int64_t rows_to_add = 16;  // in a range of the last phase of Method::split

Slice depth_of(const nnrun_gemm_f32& g, const Plan& plan, int64_t block) { return slice_of(g.k, plan.depth, block); }

const float* a_at(const nnrun_gemm_f32& g, int64_t i, int64_t p) { return g.transpose_a ? g.a + p * g.lda + i : g.a + i * g.lda + p; }
const float* b_at(const nnrun_gemm_f32& g, int64_t p, int64_t j) { return g.transpose_b ? g.b + j * g.ldb + p : g.b + p * g.ldb + j; }

void pack_b_panel(const nnrun_gemm_f32& g, const Plan& plan, int64_t panel, Slice depth, float* to) {
  const Slice columns = slice_of(g.n, plan.panel_columns, panel);
  const auto pack = g.transpose_b ? pack_transposed : pack_rows;
  pack(b_at(g, depth.begin, columns.begin), g.ldb, columns.size(), depth.size(), to, plan.panel_columns);
}

// Where PackB::before keeps a panel: blocks of depth, in them panels.
int64_t offset_of(const Plan& plan, int64_t panel, Slice depth) {
  return (plan.panels * depth.begin + panel * depth.size()) * plan.panel_columns;
}

void pack_b_panels(const nnrun_gemm_f32& g, const Plan& plan, Slice panels, float* to) {
  for (int64_t p = 0; p < g.k; p += plan.depth) {
    const Slice depth = depth_of(g, plan, p / plan.depth);
    // A few rows of all panels, then the next: memory likes pieces of rows longer than a panel is wide.
    for (int64_t q = 0; q < depth.size(); q += rows_to_pack) {
      const Slice some = {p + q, smaller(p + q + rows_to_pack, depth.end)};
      for (int64_t panel = panels.begin; panel < panels.end; ++panel)
        pack_b_panel(g, plan, panel, some, to + offset_of(plan, panel, depth) + q * plan.panel_columns);
    }
  }
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

// C of a tile that comes soon.
void prefetch_c(const nnrun_gemm_f32& g, Slice rows, Slice columns) {
  const float* c = g.c + rows.begin * g.ldc;
  for (int64_t row = rows.begin; row < rows.end; ++row, c += g.ldc) {
    for (int64_t j = columns.begin; j < columns.end - 1; j += lanes) __builtin_prefetch(c + j, 1);
    __builtin_prefetch(c + columns.end - 1, 1);
  }
}

void multiply_group(const nnrun_gemm_f32& g, const Plan& plan, Slice rows, Slice panels, const float* shared_b, float* private_a,
                    float* private_b) {
  const TileRows tiles(rows, plan.tile_rows);
  for (int64_t p = 0; p < g.k; p += plan.depth) {
    const Slice depth = depth_of(g, plan, p / plan.depth);
    const bool last = depth.end == g.k;
    if (plan.pack_a) {
      const auto pack = g.transpose_a ? pack_rows : pack_transposed;
      for (int64_t i = 0; i < tiles.tiles; ++i) {
        const Slice r = tiles[i];
        pack(a_at(g, r.begin, p), g.lda, r.size(), depth.size(), private_a + (r.begin - rows.begin) * depth.size(), r.size());
      }
    }
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
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
        t.a = plan.pack_a ? private_a + (r.begin - rows.begin) * depth.size() : a_at(g, r.begin, p);
        t.a_stride = plan.pack_a ? r.size() : g.lda;
        t.next = next ? next + smaller(i * rows_in_tile, depth.size() - rows_in_tile) * t.next_stride : nullptr;
        t.c = g.c + r.begin * g.ldc + columns.begin;
        if (g.k <= short_depth && i + tiles_ahead < tiles.tiles) prefetch_c(g, tiles[i + tiles_ahead], columns);
        if (next_depth && !g.transpose_a) {
          for (int64_t row = r.begin; row < r.end; ++row)
            prefetch_share(a_at(g, row, depth.end), smaller(plan.depth, g.k - depth.end), 0, 1);
        }
        tile_function(r.size(), ceil_divide(t.columns, lanes), plan.pack_a || g.transpose_a)(t);
      }
    }
  }
}

// Rows of A and of C come soon: of A while tiles are computed, of C a few tiles before.
void pass_rows(const nnrun_gemm_f32& g, const Plan& plan, Slice rows, const float* b) {
  for (int64_t begin = rows.begin; begin < rows.end; begin += plan.rows_in_block) {
    const TileRows tiles({begin, smaller(begin + plan.rows_in_block, rows.end)}, plan.tile_rows);
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
        const int64_t later = r.begin + passing_tiles_ahead * plan.tile_rows;
        prefetch_c(g, {later, smaller(later + r.size(), g.m)}, columns);
        streaming_tile_function(r.size(), ceil_divide(t.columns, lanes), false)(t);
      }
    }
  }
}

void run_tiles(const nnrun_gemm_f32& g, const Plan& plan, float* workspace, uint32_t phase, int64_t range) {
  if (plan.pack_b == Plan::PackB::before && phase == 0) {
    pack_b_panels(g, plan, slice_of(plan.panels, panels_to_pack, range), workspace);
    return;
  }
  // Neighbours, which one thread is likely to get, have columns in common: those of B, and of what is computed from C next.
  const Slice rows = slice_of(g.m, plan.rows_in_group, range % plan.row_groups);
  if (plan.method == Plan::Method::rows) return pass_rows(g, plan, rows, workspace);
  const Slice panels = slice_of(plan.panels, plan.panels_in_group, range / plan.row_groups);
  float* mine = workspace + plan.shared_b + range * (plan.private_a + plan.private_b);
  multiply_group(g, plan, rows, panels, plan.shared_b ? workspace : nullptr, mine, mine + plan.private_a);
}

void tiles_work(const Plan& plan, nnrun_work& work) {
  one_phase(work, plan.ranges());
  if (plan.pack_b != Plan::PackB::before) return;
  work.phases = 2;
  work.ranges[0] = ceil_divide(plan.panels, panels_to_pack);
  work.ranges[1] = plan.ranges();
}

void run_all(const nnrun_gemm_f32& g, float* workspace) {
  nnrun_work work = {};
  gemm_f32_work(g, work);
  for (uint32_t phase = 0; phase < work.phases; ++phase) {
    for (int64_t range = 0; range < work.ranges[phase]; ++range) gemm_f32_run(g, workspace, phase, range);
  }
}

// Method::split: for each chunk its partial C, then its own workspace.
void split_work(const nnrun_gemm_f32& g, const Plan& plan, nnrun_work& work) {
  one_phase(work, plan.chunks);
  work.phases = 2;
  work.ranges[1] = ceil_divide(g.m, rows_to_add);
}

void add_chunks(const nnrun_gemm_f32& g, const Plan& plan, const float* workspace, Slice rows) {
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    for (int64_t j = 0; j < g.n; j += lanes) {
      const Mask m = first(smaller(lanes, g.n - j));
      const float* partial = workspace + i * g.n + j;
      Floats sum = load(partial, m);
      for (int64_t chunk = 1; chunk < plan.chunks; ++chunk) sum = add(sum, load(partial + chunk * plan.chunk_space, m));
      float* c = g.c + i * g.ldc + j;
      if (g.bias) sum = add(sum, load(g.bias + j, m));
      if (g.accumulate) sum = add(sum, load(c, m));
      if (g.relu) sum = maximum(zero(), sum);
      store(c, sum, m);
    }
  }
}

}  // namespace

void gemm_f32_work(const nnrun_gemm_f32& g, nnrun_work& work) {
  const Plan plan = plan_of(g);
  switch (plan.method) {
    case Plan::Method::tiles:
    case Plan::Method::rows: tiles_work(plan, work); break;
    case Plan::Method::dots: one_phase(work, plan.column_groups); break;
    case Plan::Method::split: split_work(g, plan, work); break;
  }
  work.workspace = static_cast<size_t>(plan.workspace) * sizeof(float);
}

void gemm_f32_run(const nnrun_gemm_f32& g, void* workspace, uint32_t phase, int64_t range) {
  const Plan plan = plan_of(g);
  float* space = static_cast<float*>(workspace);
  switch (plan.method) {
    case Plan::Method::tiles:
    case Plan::Method::rows: return run_tiles(g, plan, space, phase, range);
    case Plan::Method::dots: {
      const int64_t step = plan.panels_in_group * plan.panel_columns;
      const Slice columns = slice_of(g.n, step, range);
      return multiply_by_dots(g, columns.begin, columns.end);
    }
    case Plan::Method::split:
      if (phase == 1) return add_chunks(g, plan, space, slice_of(g.m, rows_to_add, range));
      float* partial = space + range * plan.chunk_space;
      return run_all(chunk_of(g, plan, range, partial), partial + plan.partial);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
