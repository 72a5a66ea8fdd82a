#include "gemm_groups.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t panels_to_pack = 8;  // in a range of phase 0
constexpr int64_t rows_to_pack = lanes;
constexpr int64_t rows_to_add = 16;  // in a range of the last phase of Method::split

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

void run_tiles(const nnrun_gemm_f32& g, const Plan& plan, float* workspace, uint32_t phase, int64_t range) {
  if (plan.pack_b == Plan::PackB::before && phase == 0) {
    pack_b_panels(g, plan, slice_of(plan.panels, panels_to_pack, range), workspace);
    return;
  }
  // Neighbours, which one thread is likely to get, have columns in common: those of B, and of what is computed from C next.
  const Slice rows = slice_of(g.m, plan.rows_in_group, range % plan.row_groups);
  if (plan.method == Plan::Method::rows) return pass_rows(g, plan, rows.begin, rows.end, workspace);
  const Slice panels = slice_of(plan.panels, plan.panels_in_group, range / plan.row_groups);
  float* mine = workspace + plan.shared_b + range * (plan.private_a + plan.private_b);
  multiply_group(g, plan, rows.begin, rows.end, panels.begin, panels.end, plan.shared_b ? workspace : nullptr, mine, mine + plan.private_a);
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
