// Weight gradients that become steps of an optimizer. A tile of the gradient is summed up in registers, as in gemm_f32; its step is taken
// while the next one is summed up, a row every few samples: what it reads has been fetched by then, and its divisions and roots run where
// multiply-adds leave room.
#include "advance.hpp"
#include "gemm.hpp"
#include "optimizer_rules.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int vectors = 2;
constexpr int64_t width = vectors * lanes;  // of a tile
constexpr int most_rows = update_tile_rows, least_rows = most_rows / 3;
constexpr int samples_at_once = 4;
constexpr int64_t most_ranges = 16, most_column_groups = 8, operations_per_range = int64_t{1} << 18;

// How the work is cut: into groups of columns, as gemm_f32 cuts the product of the forward pass, so that a thread finds its part of W in its
// own cache; then into rows. Of about a microsecond at least, and whole tiles.
struct Cut {
  int64_t column_groups, columns;  // columns: of a group
  int64_t tiles, row_groups;       // tiles of rows, in all
  int64_t ranges() const { return column_groups * row_groups; }
};

Cut cut_of(const nnrun_dense_update_f32& a) {
  const int64_t wanted = larger(1, smaller(2 * a.batch * a.inputs * a.units / operations_per_range, most_ranges));
  const int64_t panels = ceil_divide(a.units, width);
  // Two panels at least: each group packs its own copy of x.
  const int64_t groups = smaller(wanted, larger(1, smaller(panels / 2, most_column_groups)));
  Cut cut = {};
  const int64_t panels_in_group = ceil_divide(panels, groups);
  cut.columns = panels_in_group * width;
  cut.column_groups = ceil_divide(panels, panels_in_group);
  cut.tiles = ceil_divide(a.inputs, most_rows);
  cut.row_groups = smaller(cut.tiles, larger(1, wanted / cut.column_groups));
  return cut;
}

// A tile's place in W and in the states, at the first row that is left.
struct Place {
  float* weights;
  float* first_state;
  float* second_state;
  int64_t rows, columns;

  __attribute__((always_inline)) void next_row(int64_t stride) {
    weights += stride;
    first_state += stride;
    second_state += stride;
    --rows;
  }
  void next_columns() {
    weights += width;
    first_state += width;
    second_state += width;
  }
};

// A tile whose step is still to be taken: its gradient, and where that belongs.
struct Pending {
  const float* gradient;
  Place place;
};

template <class Rule>
__attribute__((always_inline)) inline void take_whole_row(Rule& rule, Pending& pending, int64_t stride) {
  const Place& p = pending.place;
  repeat<vectors>([&](auto v) __attribute__((always_inline)) {
    constexpr int64_t at = v * lanes;
    rule(
        load(pending.gradient + at), p.weights + at, p.first_state + at, p.second_state + at, [](const float* from) { return load(from); },
        [](float* to, Floats x) { store(to, x); });
  });
  pending.gradient += width;
  pending.place.next_row(stride);
}

// Returns rule's check. By value: a rule whose address is known would be read again after every store.
template <class Rule>
FiniteCheck take_rows(Rule rule, Pending pending, int64_t stride) {
  while (pending.place.rows > 0) {
    const Place& p = pending.place;
    if (p.columns == width) {
      take_whole_row(rule, pending, stride);
      continue;
    }
    for (int64_t at = 0; at < p.columns; at += lanes) {
      const Mask m = first(smaller(lanes, p.columns - at));
      rule(
          load(pending.gradient + at), p.weights + at, p.first_state + at, p.second_state + at,
          [m](const float* from) { return load(from, m); }, [m](float* to, Floats x) { store(to, x, m); });
    }
    pending.gradient += width;
    pending.place.next_row(stride);
  }
  return rule.check;
}

// Fetches a row of a tile: weights and states.
template <int states>
__attribute__((always_inline)) inline void fetch_row(const Place& p) {
  constexpr int line = 64 / sizeof(float);
  repeat<width / line>([&](auto i) __attribute__((always_inline)) {
    const int64_t at = smaller(i * line, p.columns - 1);
    __builtin_prefetch(p.weights + at, 1);
    if constexpr (states > 0) __builtin_prefetch(p.first_state + at, 1);
    if constexpr (states > 1) __builtin_prefetch(p.second_state + at, 1);
  });
}

// gradient[rows][width] = the sum over all samples of x[sample][row] * dy[sample][column]. Meanwhile the step of the tile before.
template <int rows, bool whole, class Rule, int states>
__attribute__((always_inline)) inline void sum_up(const nnrun_dense_update_f32& a, const float* x, int64_t x_stride, const float* dy,
                                                  float* gradient, Place place, Pending pending, Rule& rule) {
  const int64_t stride = a.units, dy_stride = a.lddy;
  const Mask masks[vectors] = {first(smaller(lanes, place.columns)), first(larger(0, place.columns - lanes))};
  Floats sum[rows][vectors];
  repeat<rows>([&](auto i) { repeat<vectors>([&](auto v) { sum[i][v] = zero(); }); });
  const auto multiply_add = [&]() __attribute__((always_inline)) {
    Floats row[vectors];
    repeat<vectors>([&](auto v) __attribute__((always_inline)) { row[v] = whole ? load(dy + v * lanes) : load(dy + v * lanes, masks[v]); });
    repeat<rows>([&](auto i) __attribute__((always_inline)) {
      const Floats factor = all(x[i]);
      repeat<vectors>([&](auto v) __attribute__((always_inline)) { sum[i][v] = fma(factor, row[v], sum[i][v]); });
    });
    advance(x, x_stride);
    advance(dy, dy_stride);
  };
  int64_t samples = a.batch;
  for (; samples >= samples_at_once; samples -= samples_at_once) {
    if (place.rows > 0) {
      fetch_row<states>(place);
      place.next_row(stride);
    }
    if (pending.place.rows > 0) take_whole_row(rule, pending, stride);
    int64_t now = samples_at_once;
    asm("" : "+r"(now));  // four copies of the sums' code would have GCC move the sums between registers and memory
    for (; now > 0; --now) multiply_add();
  }
  for (; samples > 0; --samples) multiply_add();
  repeat<rows>([&](auto i) { repeat<vectors>([&](auto v) { store(gradient + i * width + v * lanes, sum[i][v]); }); });
}

struct Gradients {
  alignas(64) float of[2][most_rows * width];
};

// All tiles of some rows; returns what is pending behind the last one.
template <int rows, class Rule, int states>
Pending update_row_of_tiles(const nnrun_dense_update_f32& a, const float* x, int64_t x_stride, Place place, Slice columns,
                            Gradients& gradients, Pending pending, Rule& given_rule) {
  Rule rule = given_rule;
  const bool enough_samples = most_rows * samples_at_once <= a.batch;
  const auto tile = [&](auto whole, int64_t column) __attribute__((always_inline)) {
    if (!enough_samples || pending.place.columns != width) {
      rule.check = take_rows(rule, pending, a.units);
      pending = {};
    }
    float* gradient = gradients.of[pending.gradient == gradients.of[0] ? 1 : 0];
    sum_up<rows, whole, Rule, states>(a, x, x_stride, a.dy + column, gradient, place, pending, rule);
    pending = {gradient, place};
    place.next_columns();
  };
  int64_t column = columns.begin;
  for (place.columns = width; column + width <= columns.end; column += width) tile(std::true_type(), column);
  place.columns = columns.end - column;
  if (place.columns > 0) tile(std::false_type(), column);
  given_rule.check = rule.check;
  return pending;
}

// Tiles of `most_rows`, the last one as high as it takes: a third, or two, of that.
template <class Rule, int states>
void update_part(const nnrun_dense_update_f32& a, Rule rule, Slice tiles, Slice columns, float* packed_x) {
  Gradients gradients;
  using Update = Pending (*)(const nnrun_dense_update_f32&, const float*, int64_t, Place, Slice, Gradients&, Pending, Rule&);
  constexpr Update functions[3] = {update_row_of_tiles<least_rows, Rule, states>, update_row_of_tiles<2 * least_rows, Rule, states>,
                                   update_row_of_tiles<most_rows, Rule, states>};
  // Rows of x that are a multiple of 512 bytes apart would share a few lines of the L1 cache.
  const bool pack = a.ldx % 128 == 0;
  Pending pending = {};
  // The last rows first: the cache may have those of W yet, and the next forward pass begins with the first.
  for (int64_t tile = tiles.end; tile-- > tiles.begin;) {
    const Slice rows = slice_of(a.inputs, most_rows, tile);
    const int64_t thirds = ceil_divide(rows.size(), least_rows), height = thirds * least_rows;
    const float* x = a.x + rows.begin;
    int64_t x_stride = a.ldx;
    if (pack || rows.size() != height) {
      pack_rows(x, a.ldx, rows.size(), a.batch, packed_x, height);
      x = packed_x;
      x_stride = height;
    }
    const int64_t at = rows.begin * a.units + columns.begin;
    Place place = {a.weights + at, a.weights + at, a.weights + at, rows.size(), width};
    if (states > 0) place.first_state = a.update.states[0] + at;
    if (states > 1) place.second_state = a.update.states[1] + at;
    pending = functions[thirds - 1](a, x, x_stride, place, columns, gradients, pending, rule);
  }
  // Other ranges may say the same at the same time.
  if (!take_rows(rule, pending, a.units).all_finite()) __atomic_store_n(a.finite, 0u, __ATOMIC_RELAXED);
}

int64_t packed_floats(const nnrun_dense_update_f32& a) { return ceil_divide(a.batch * most_rows + lanes, 16) * 16; }

}  // namespace

void dense_update_f32_work(const nnrun_dense_update_f32& a, nnrun_work& work) {
  one_phase(work, cut_of(a).ranges());
  work.workspace = static_cast<size_t>(packed_floats(a) * work.ranges[0]) * sizeof(float);
}

void dense_update_f32_run(const nnrun_dense_update_f32& a, void* workspace, uint32_t, int64_t range) {
  const Cut cut = cut_of(a);
  const int64_t row_group = cut.row_groups - 1 - range % cut.row_groups;
  const Slice tiles = {cut.tiles * row_group / cut.row_groups, cut.tiles * (row_group + 1) / cut.row_groups};
  const Slice columns = slice_of(a.units, cut.columns, range / cut.row_groups);
  float* packed_x = static_cast<float*>(workspace) + range * packed_floats(a);
  switch (a.update.rule) {
    case NNRUN_UPDATE_SGD: return update_part<SgdRule, 0>(a, SgdRule(a.update), tiles, columns, packed_x);
    case NNRUN_UPDATE_MOMENTUM: return update_part<MomentumRule, 1>(a, MomentumRule(a.update, a.update.beta1), tiles, columns, packed_x);
    default: return update_part<AdamRule, 2>(a, AdamRule(a.update), tiles, columns, packed_x);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
