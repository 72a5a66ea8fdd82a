// A few rows of W at a time, as many as a vector has lanes: dx of these inputs, turned in registers, then their rows of dweights, while
// those of W behind them are on their way.
#include "gemm.hpp"
#include "prefetch.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t block = lanes;  // inputs
constexpr int units_at_once = 4;  // of the sums that make dx
constexpr int gradient_rows = 4;  // of dweights at once
constexpr int gradient_vectors = conv_tile_vectors;
constexpr int64_t rows_ahead = 2 * block;  // of W, fetched early

int64_t padded_batch(const nnrun_dense_backward_f32& a) { return ceil_divide(a.batch, lanes) * lanes; }

// dx of `count` inputs (`whole`: a block of them) from `input` on, for `lanes` samples. `turned_dy` is (units, padded batch), from those
// samples on.
template <bool whole>
void block_of_dx(const nnrun_dense_backward_f32& a, int64_t input, int64_t count, int64_t sample, const float* turned_dy) {
  const float* ahead = a.weights + (input + rows_ahead) * a.units;
  Floats sum[block];
  repeat<block>([&](auto i) __attribute__((always_inline)) { sum[i] = zero(); });
  const int64_t stride = padded_batch(a);
  const float* weights = a.weights + input * a.units;
  // From row i to the next; the last one stands for those that are not there.
  const auto step = [&](int64_t i) __attribute__((always_inline)) { return whole || i + 1 < count ? a.units : 0; };
  int64_t unit = 0;
  for (; unit + units_at_once <= a.units; unit += units_at_once, turned_dy += units_at_once * stride, weights += units_at_once) {
    Floats dy[units_at_once];
    repeat<units_at_once>([&](auto u) __attribute__((always_inline)) { dy[u] = load(turned_dy + u * stride); });
    const float* w = weights;
    repeat<block>([&](auto i) __attribute__((always_inline)) {
      repeat<units_at_once>([&](auto u) __attribute__((always_inline)) { sum[i] = fma(all(w[u]), dy[u], sum[i]); });
      w += step(i);
      asm("" : "+r"(w));  // one address: GCC would keep sixteen, in memory
    });
    // As many lines as it reads, one behind the other: all of them at once would have it wait.
    repeat<block * units_at_once / line_floats>([&](auto l)
                                                    __attribute__((always_inline)) { __builtin_prefetch(ahead + l * line_floats); });
    ahead += block * units_at_once;
  }
  for (; unit < a.units; ++unit, turned_dy += stride, ++weights) {
    const Floats dy = load(turned_dy);
    const float* w = weights;
    repeat<block>([&](auto i) __attribute__((always_inline)) {
      sum[i] = fma(all(*w), dy, sum[i]);
      w += step(i);
    });
  }
  transpose(sum);
  const Mask inputs = first(count);
  for (int64_t s = 0; s < smaller(lanes, a.batch - sample); ++s) store(a.dx + (sample + s) * a.lddx + input, sum[s], inputs);
}

// `gradient_rows` rows of dweights from `input` on, of which `count` are stored; x is (batch, block), from these inputs on.
template <int vectors>
void tile_of_dweights(const nnrun_dense_backward_f32& a, int64_t input, int64_t count, int64_t unit, Mask last, const float* x) {
  Floats sum[gradient_rows][vectors];
  repeat<gradient_rows>([&](auto i) { repeat<vectors>([&](auto v) __attribute__((always_inline)) { sum[i][v] = zero(); }); });
  const float* from = a.dy + unit;
  for (int64_t sample = 0; sample < a.batch; ++sample, from += a.lddy, x += block) {
    Floats dy[vectors];
    repeat<vectors>([&](auto v) __attribute__((always_inline)) {
      dy[v] = v == vectors - 1 ? load(from + v * lanes, last) : load(from + v * lanes);
    });
    repeat<gradient_rows>([&](auto i) __attribute__((always_inline)) {
      const Floats factor = all(x[i]);
      repeat<vectors>([&](auto v) __attribute__((always_inline)) { sum[i][v] = fma(factor, dy[v], sum[i][v]); });
    });
  }
  repeat<gradient_rows>([&](auto i) __attribute__((always_inline)) {
    if (i >= count) return;
    float* to = a.dweights + (input + i) * a.units + unit;
    repeat<vectors>([&](auto v) __attribute__((always_inline)) {
      if (v == vectors - 1) {
        store(to + v * lanes, sum[i][v], last);
      } else {
        store(to + v * lanes, sum[i][v]);
      }
    });
  });
}

void block_of_dweights(const nnrun_dense_backward_f32& a, int64_t input, int64_t count, const float* x) {
  using Tile = void (*)(const nnrun_dense_backward_f32&, int64_t, int64_t, int64_t, Mask, const float*);
  constexpr Tile tiles[] = {tile_of_dweights<1>, tile_of_dweights<2>, tile_of_dweights<3>, tile_of_dweights<4>};
  static_assert(gradient_vectors <= 4);
  for (int64_t unit = 0; unit < a.units; unit += gradient_vectors * lanes) {
    const int64_t units = smaller(gradient_vectors * lanes, a.units - unit), vectors = ceil_divide(units, lanes);
    const Mask last = first(units - (vectors - 1) * lanes);
    for (int64_t i = 0; i < count; i += gradient_rows) tiles[vectors - 1](a, input + i, count - i, unit, last, x + i);
  }
}

}  // namespace

void dense_backward_f32_work(const nnrun_dense_backward_f32& a, nnrun_work& work) {
  work = {};
  work.phases = 1;
  work.ranges[0] = 1;
  work.workspace = static_cast<size_t>(a.units * padded_batch(a) + a.batch * block) * sizeof(float);
}

void dense_backward_f32_run(const nnrun_dense_backward_f32& a, void* workspace, uint32_t, int64_t) {
  float* turned_dy = static_cast<float*>(workspace);
  float* x = turned_dy + a.units * padded_batch(a);
  pack_transposed(a.dy, a.lddy, a.batch, a.units, turned_dy, padded_batch(a));
  for (int64_t input = 0; input < a.inputs; input += block) {
    const int64_t count = smaller(block, a.inputs - input);
    // Rows of x may be a multiple of a page apart, and would share a few lines of the L1 cache.
    for (int64_t sample = 0; sample < a.batch; ++sample) {
      const float* from = a.x + sample * a.ldx + input;
      store(x + sample * block, load(from, first(count)));
      __builtin_prefetch(from + rows_ahead);
      __builtin_prefetch(a.dx + sample * a.lddx + input + rows_ahead, 1);
    }
    const auto dx = count == block ? block_of_dx<true> : block_of_dx<false>;
    for (int64_t sample = 0; sample < a.batch; sample += lanes) dx(a, input, count, sample, turned_dy + sample);
    block_of_dweights(a, input, count, x);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
