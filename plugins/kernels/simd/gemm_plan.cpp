#include "gemm_plan.hpp"

#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t most_rows_in_group = 16 * tall_tile_rows;
constexpr int64_t most_ranges = 16;  // unless it takes more groups of rows
constexpr int64_t most_packed_depth = 384;
constexpr int64_t page = 4096 / sizeof(float);
constexpr int64_t least_split_depth = 4096, most_split_results = 32 * 1024;

constexpr int64_t round_up(int64_t x, int64_t step) { return ceil_divide(x, step) * step; }
constexpr int64_t clamp(int64_t x, int64_t low, int64_t high) { return smaller(larger(x, low), high); }

// So many ranges would be good: enough to balance eight threads, but of about a microsecond at least.
int64_t wanted_ranges(const nnrun_gemm_f32& g) {
  if (g.serial) return 1;
  const int64_t products = g.m * g.n * g.k;
  return clamp(products >> 17, 1, products > (int64_t{1} << 25) ? most_ranges : 8);
}

bool few_rows(const nnrun_gemm_f32& g) { return g.m <= single_tile_rows; }

bool takes_dots(const nnrun_gemm_f32& g) { return g.transpose_b && !g.transpose_a && g.m <= most_dot_rows; }

// Whether B, k x n, is read so often, and is so large, that its copy in panels pays.
bool large(const nnrun_gemm_f32& g) { return g.m > most_rows_in_group && g.k >= 64 && g.n * g.k > 256 * 1024; }

// A few rows of A, B too large for the caches: what counts is that B comes in whole rows, one behind the other. Tiles as wide as
// possible read it so, and a depth that leaves it in the L1 cache for all of them.
constexpr int stream_rows = 3;
constexpr int64_t stream_depth = 64;
bool streams_b(const nnrun_gemm_f32& g) {
  return g.serial && !g.transpose_a && !g.transpose_b && g.m > single_tile_rows && g.m <= 32 && g.k > stream_depth &&
         g.n >= widest_tile(stream_rows) * lanes;
}

// Rows of A that are a multiple of a page apart fall into one set of the L1 cache, which has fewer ways than a tile has rows.
bool packs_a(const nnrun_gemm_f32& g) {
  return large(g) || (!g.transpose_a && !streams_b(g) && g.lda % page == 0 && g.m > single_tile_rows && g.n > 4 * lanes);
}

bool splits(const nnrun_gemm_f32& g) { return g.k >= least_split_depth && g.m * g.n <= most_split_results && !takes_dots(g); }

// B stays in a cache while A, whose rows are one behind the other, passes by.
constexpr int64_t most_resident_b = 32 * 1024, least_passing_rows = 512;
bool b_is_resident(const nnrun_gemm_f32& g) { return !g.transpose_a && !g.serial && g.lda == g.k && g.n * g.k <= most_resident_b; }
bool passes_rows(const nnrun_gemm_f32& g) { return b_is_resident(g) && g.m >= least_passing_rows && g.m > g.n; }

void choose_wide_tile(const nnrun_gemm_f32& g, Plan& plan) {
  const int64_t vectors = wide_tile_vectors(g.n);
  plan.panel_columns = vectors * lanes;
  plan.panels = ceil_divide(g.n, plan.panel_columns);
  plan.tile_rows = wide_tile_rows(vectors);
  // Rows of A and C that stay in the L1 cache for all panels, or those of A that come there in time.
  const int64_t rows = plan.panels > 1 ? 8 * 1024 / (g.k + g.n) : 2 * 1024 / g.k;
  plan.rows_in_block = larger(1, rows / plan.tile_rows) * plan.tile_rows;
}

void choose_tile(const nnrun_gemm_f32& g, int64_t wanted, Plan& plan) {
  int64_t vectors = 2;
  plan.tile_rows = tall_tile_rows;
  if (few_rows(g)) {
    plan.tile_rows = g.m;
    // Reading B is most of the work: long pieces of its rows, but enough panels for several ranges.
    vectors = smaller(widest_tile(static_cast<int>(g.m)), larger(4, ceil_divide(g.n, lanes * wanted)));
    vectors = smaller(vectors, widest_tile(static_cast<int>(g.m)));
  } else if (streams_b(g)) {
    plan.tile_rows = stream_rows;
    vectors = widest_tile(stream_rows);
  } else if (g.n <= lanes) {
    plan.tile_rows = narrow_tile_rows;
    vectors = 1;
  }
  vectors = smaller(vectors, ceil_divide(g.n, lanes));
  plan.panel_columns = vectors * lanes;
  plan.panels = ceil_divide(g.n, plan.panel_columns);
}

void choose_groups(const nnrun_gemm_f32& g, int64_t wanted, Plan& plan) {
  int64_t row_groups = ceil_divide(g.m, most_rows_in_group), column_groups = 1;
  if (g.m > g.n) {
    row_groups = clamp(wanted, row_groups, ceil_divide(g.m, plan.tile_rows));
  } else {
    // Where A is packed, each group of columns packs its own copy.
    column_groups = large(g) && row_groups >= 4 ? 1 : clamp(ceil_divide(wanted, row_groups), 1, plan.panels);
    // Rows of B that need no packing can be shared by several groups.
    if (!g.transpose_b && !few_rows(g))
      row_groups = larger(row_groups, smaller(ceil_divide(wanted, column_groups), ceil_divide(g.m, 2 * plan.tile_rows)));
  }
  if (row_groups > 4 && !g.serial) row_groups = round_up(row_groups, 4);  // or two or four threads would wait for the last
  plan.rows_in_group = ceil_divide(g.m, row_groups);
  plan.row_groups = ceil_divide(g.m, plan.rows_in_group);
  plan.panels_in_group = ceil_divide(plan.panels, column_groups);
  plan.column_groups = ceil_divide(plan.panels, plan.panels_in_group);
}

void choose_packing(const nnrun_gemm_f32& g, Plan& plan) {
  if (large(g) || (g.transpose_b && plan.row_groups > 1)) {
    plan.pack_b = Plan::PackB::before;
  } else if (g.transpose_b) {
    plan.pack_b = Plan::PackB::in_range;
  }
  plan.pack_a = packs_a(g);

  const int64_t deepest = streams_b(g) ? stream_depth : plan.pack_b == Plan::PackB::never && !plan.pack_a ? 1024 : most_packed_depth;
  plan.depth = ceil_divide(g.k, ceil_divide(g.k, deepest));
  if (plan.pack_b == Plan::PackB::before) plan.shared_b = plan.panels * plan.panel_columns * g.k;
  if (plan.pack_b == Plan::PackB::in_range) plan.private_b = round_up(plan.panel_columns * plan.depth, 16);
  // Packed tiles end with a whole vector: see pack_rows().
  if (plan.pack_a) plan.private_a = round_up(plan.rows_in_group * plan.depth + lanes, 16);
}

int64_t workspace_of(const nnrun_gemm_f32& g);

Plan make_plan(const nnrun_gemm_f32& g) {
  Plan plan;
  const int64_t wanted = wanted_ranges(g);
  if (splits(g)) {
    plan.method = Plan::Method::split;
    plan.chunk = 512;
    plan.chunks = ceil_divide(g.k, plan.chunk);
    plan.partial = round_up(g.m * g.n, 16);
    plan.chunk_space = plan.partial + round_up(workspace_of(chunk_of(g, plan, 0, nullptr)), 16);
    return plan;
  }
  if (passes_rows(g)) {
    plan.method = Plan::Method::rows;
    choose_wide_tile(g, plan);
    choose_groups(g, wanted, plan);
    plan.pack_b = Plan::PackB::before;
    plan.depth = g.k;
    plan.shared_b = plan.panels * plan.panel_columns * g.k;
    return plan;
  }
  choose_tile(g, wanted, plan);
  choose_groups(g, wanted, plan);
  if (takes_dots(g)) {
    plan.method = Plan::Method::dots;
  } else {
    choose_packing(g, plan);
  }
  return plan;
}

// What a plan for tiles uses depends on the shape in steps, up and down. These are bounds of it that never fall as the batch,
// m or k, grows.
int64_t workspace_of(const nnrun_gemm_f32& g) {
  constexpr int64_t widest = widest_tile(1) * lanes;
  int64_t floats = 0;
  if (!takes_dots(g)) {
    const int64_t depth = smaller(g.k, most_packed_depth);
    const int64_t all_of_b = round_up(g.n, widest) * g.k;
    if (large(g)) {
      floats += all_of_b;
    } else if (g.transpose_b) {
      floats += g.m > g.n || g.m > most_rows_in_group ? all_of_b : smaller(all_of_b, (g.serial ? 1 : most_ranges) * widest * depth);
    }
    if (packs_a(g)) {
      const int64_t rows = round_up(g.m, 16);
      floats += (g.serial ? 2 * rows : most_ranges * smaller(most_rows_in_group, rows) + rows) * (depth + lanes);
    }
  }
  if (b_is_resident(g)) floats = larger(floats, round_up(g.n, wide_tile_vectors(g.n) * lanes) * g.k);
  // The largest m that would be split, with these n and k.
  nnrun_gemm_f32 split = g;
  split.m = smaller(g.m, most_split_results / g.n);
  if (split.m > 0 && splits(split)) {
    const Plan plan = make_plan(split);
    floats = larger(floats, plan.chunks * plan.chunk_space);
  }
  return floats;
}

// What a plan depends on.
struct Shape {
  int64_t m, n, k, lda;
  uint32_t transpose_a, transpose_b, serial;
  bool operator==(const Shape&) const = default;

  size_t place(size_t places) const {
    const auto mixed = static_cast<uint64_t>((((m * 31 + n) * 31 + k) * 31 + lda) * 8 + transpose_a * 4 + transpose_b * 2 + serial);
    return static_cast<size_t>(mixed * 0x9E3779B97F4A7C15 >> 48) % places;
  }
};

}  // namespace

int64_t wide_tile_vectors(int64_t columns) {
  const int64_t vectors = ceil_divide(columns, lanes);
  int64_t best = 1;
  for (int64_t wider = 2; wider <= widest_passing_tile; ++wider) {
    if (ceil_divide(vectors, wider) * wider <= ceil_divide(vectors, best) * best) best = wider;
  }
  return best;
}

int64_t wide_tile_rows(int64_t vectors) {
  int rows = vectors == 1 ? narrow_tile_rows : tall_tile_rows;
  while (widest_tile(rows) < vectors) --rows;
  return rows;
}

Plan plan_of(const nnrun_gemm_f32& g) {
  struct Remembered {
    Shape shape;  // m = 0: nothing yet
    Plan plan;
  };
  constexpr size_t places = 64;
  static thread_local constinit Remembered memory[places] = {};

  const Shape shape = {g.m, g.n, g.k, g.lda, g.transpose_a, g.transpose_b, g.serial};
  Remembered& found = memory[shape.place(places)];
  if (found.shape != shape) {
    found.plan = make_plan(g);
    found.plan.workspace = workspace_of(g);
    found.shape = shape;
  }
  return found.plan;
}

nnrun_gemm_f32 chunk_of(const nnrun_gemm_f32& g, const Plan& plan, int64_t index, float* partial) {
  const Slice k = slice_of(g.k, plan.chunk, index);
  nnrun_gemm_f32 chunk = g;
  chunk.k = k.size();
  if (g.a) chunk.a += k.begin * (g.transpose_a ? g.lda : 1);
  if (g.b) chunk.b += k.begin * (g.transpose_b ? 1 : g.ldb);
  chunk.c = partial;
  chunk.ldc = g.n;
  chunk.bias = nullptr;
  chunk.has_bias = chunk.accumulate = chunk.relu = 0;
  chunk.serial = 1;
  return chunk;
}

}  // namespace NNRUN_ISA_NAMESPACE
