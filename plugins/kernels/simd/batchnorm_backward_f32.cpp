#include "batchnorm_rows.hpp"

namespace NNRUN_ISA_NAMESPACE {

namespace {

// What there is of dy behind ReLU.
template <bool relu, int vectors>
__attribute__((always_inline)) inline Floats masked(const Normal<vectors>& normal, Floats x, Floats dy, int v) {
  if constexpr (relu) {
    return where_positive(normal.of(x, v), dy);
  } else {
    return dy;
  }
}

// `beta` is not read without ReLU.
template <bool relu, int vectors>
Normal<vectors> normal_of(const nnrun_batchnorm_backward_f32& a, int64_t j, Mask last) {
  Normal<vectors> normal(a.mean, a.gamma, relu ? a.beta : a.gamma, j, last);
  normal.multiply_by_inverse(a.inverse, j, last);
  return normal;
}

// Sums of dy * xhat and of dy.
template <bool relu>
void gradient_sums(const nnrun_batchnorm_backward_f32& a, Slice rows, Slice columns, float* dgamma, float* dbeta) {
  for_each_wide_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    const auto normal = normal_of<relu, vectors>(a, j, last);
    Floats sums[2 * vectors];
    sum_rows<vectors>(
        rows, sums, [&](Floats * part, int64_t i) __attribute__((always_inline)) {
          repeat<vectors>([&](auto v) {
            const int64_t at = i * a.columns + j;
            const Floats x = load_of<vectors>(a.x + at, v, last);
            const Floats dy = masked<relu>(normal, x, load_of<vectors>(a.dy + at, v, last), v);
            part[v] = fma(dy, subtract(x, normal.mean[v]), part[v]);
            part[vectors + v] = add(part[vectors + v], dy);
          });
        });
    repeat<vectors>([&](auto v) {
      store_of<vectors>(dgamma + j, v, multiply(sums[v], load_of<vectors>(a.inverse + j, v, last)), last);
      store_of<vectors>(dbeta + j, v, sums[vectors + v], last);
    });
  });
}

// dx = gamma * inverse * (dy - dbeta / rows - (x - mean) * inverse * dgamma / rows); not in training gamma * inverse * dy
template <bool relu, bool training>
void input_gradient(const nnrun_batchnorm_backward_f32& a, Slice rows, Slice columns) {
  const Floats share = all(1 / static_cast<float>(a.rows));
  for_each_wide_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    const auto normal = normal_of<relu, vectors>(a, j, last);
    Floats offset[vectors], slope[vectors];
    repeat<vectors>([&](auto v) {
      offset[v] = slope[v] = zero();
      if constexpr (training) {
        offset[v] = multiply(load_of<vectors>(a.dbeta + j, v, last), share);
        slope[v] = multiply(multiply(load_of<vectors>(a.dgamma + j, v, last), load_of<vectors>(a.inverse + j, v, last)), share);
      }
    });
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      repeat<vectors>([&](auto v) {
        const int64_t at = i * a.columns + j;
        const Floats x = relu || training ? load_of<vectors>(a.x + at, v, last) : zero();
        Floats dy = masked<relu>(normal, x, load_of<vectors>(a.dy + at, v, last), v);
        if constexpr (training) dy = fma_negated(subtract(x, normal.mean[v]), slope[v], subtract(dy, offset[v]));
        store_of<vectors>(a.dx + at, v, multiply(normal.scale[v], dy), last);
      });
    }
  });
}

template <bool relu>
void run(const nnrun_batchnorm_backward_f32& a, float* partial, uint32_t phase, int64_t range) {
  const RowBlocks blocks = blocks_of_rows(a.rows, a.columns);
  const Slice every_row = {0, a.rows}, every_column = {0, a.columns}, block = blocks.rows(range);
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  if (!a.training) {
    input_gradient<relu, false>(a, block, every_column);
  } else if (phase == 2) {
    input_gradient<relu, true>(a, block, every_column);
  } else if (blocks.count() == 1) {
    gradient_sums<relu>(a, every_row, columns, a.dgamma, a.dbeta);
    if (a.has_gradient) input_gradient<relu, true>(a, every_row, columns);
  } else if (phase == 0) {
    gradient_sums<relu>(a, block, every_column, partial + 2 * range * a.columns, partial + (2 * range + 1) * a.columns);
  } else {
    batchnorm_add_up(blocks.count(), a.columns, columns, partial, a.dgamma, a.dbeta);
  }
}

}  // namespace

void batchnorm_backward_f32_work(const nnrun_batchnorm_backward_f32& a, nnrun_work& work) {
  const RowBlocks blocks = blocks_of_rows(a.rows, a.columns);
  if (!a.training) {
    one_phase(work, blocks.count());
    if (hold_slices(blocks)) work.batch_phase = 1;
    return;
  }
  three_phases(blocks, a.columns, work);
  if (a.has_gradient || work.phases == 1) return;
  work.phases = 2;
  work.batch_phase = work.ahead = 0;
}

void batchnorm_backward_f32_run(const nnrun_batchnorm_backward_f32& a, void* workspace, uint32_t phase, int64_t range) {
  float* partial = static_cast<float*>(workspace);
  a.relu ? run<true>(a, partial, phase, range) : run<false>(a, partial, phase, range);
}

}  // namespace NNRUN_ISA_NAMESPACE
