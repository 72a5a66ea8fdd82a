#include "kernels.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// x is cut into blocks of rows. Phase 0 writes two partial results a block, each (columns), to the workspace; phase 1 combines
// them in order; phase 2 goes over the blocks again. What is one block needs one phase, cut by columns.
constexpr int64_t fewest_rows = 64;
constexpr int64_t columns_in_range = strip_vectors * lanes;

// Blocks of one size, where a few more of them than there must be are enough for that: then slices of the batch are whole blocks.
int64_t rows_in_block(int64_t rows, int64_t columns) {
  const int64_t most = larger(fewest_rows, rows_per_range(columns)), fewest = ceil_divide(rows, most);
  constexpr int64_t tries = 32;
  for (int64_t blocks = fewest; blocks < fewest + tries && blocks < 2 * fewest; ++blocks) {
    if (rows % blocks == 0) return rows / blocks;
  }
  return most;
}
int64_t blocks_of(int64_t rows, int64_t columns) { return ceil_divide(rows, rows_in_block(rows, columns)); }

void three_phases(int64_t rows, int64_t columns, nnrun_work& work) {
  const int64_t blocks = blocks_of(rows, columns);
  one_phase(work, ceil_divide(columns, columns_in_range));
  if (blocks == 1) return;
  work.phases = 3;
  work.ranges[1] = work.ranges[0];
  work.ranges[0] = work.ranges[2] = blocks;
  if (rows % rows_in_block(rows, columns) == 0) work.batch_phase = 3;
  work.workspace = static_cast<size_t>(2 * blocks * columns) * sizeof(float);
}

// Means of columns and sums of squared differences from them.
void statistics(const nnrun_batchnorm_f32& a, Slice rows, Slice columns, float* mean, float* squares) {
  for_each_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    const auto get = [&](int64_t i, int v) {
      const float* p = a.x + i * a.columns + j + v * lanes;
      return v == vectors - 1 ? load(p, last) : load(p);
    };
    Floats sum[vectors], m[vectors];
    repeat<vectors>([&](auto v) { sum[v] = zero(); });
    for (int64_t i = rows.begin; i < rows.end; ++i) repeat<vectors>([&](auto v) { sum[v] = add(sum[v], get(i, v)); });
    repeat<vectors>([&](auto v) {
      m[v] = divide(sum[v], all(static_cast<float>(rows.size())));
      sum[v] = zero();
    });
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      repeat<vectors>([&](auto v) {
        const Floats difference = subtract(get(i, v), m[v]);
        sum[v] = fma(difference, difference, sum[v]);
      });
    }
    repeat<vectors>([&](auto v) {
      const Mask mask = v == vectors - 1 ? last : first(lanes);
      store(mean + j + v * lanes, m[v], mask);
      store(squares + j + v * lanes, sum[v], mask);
    });
  });
}

// Adds up the blocks' means and squares (Chan, Golub and LeVeque 1979), then finishes mean, variance and inverse. The partial
// results of block b are mean[2 * b * columns ...] and squares[2 * b * columns ...].
void combine(const nnrun_batchnorm_f32& a, Slice columns, const float* means, const float* all_squares) {
  const int64_t blocks = blocks_of(a.rows, a.columns);
  for (int64_t j = columns.begin; j < columns.end; j += lanes) {
    const Mask m = first(smaller(lanes, columns.end - j));
    Floats mean = load(means + j, m), squares = load(all_squares + j, m);
    for (int64_t block = 1; block < blocks; ++block) {
      const int64_t at = 2 * block * a.columns + j;
      const Slice rows = slice_of(a.rows, rows_in_block(a.rows, a.columns), block);
      const float share = static_cast<float>(rows.size()) / static_cast<float>(rows.end);
      const Floats difference = subtract(load(means + at, m), mean);
      mean = fma(difference, all(share), mean);
      squares = add(squares, load(all_squares + at, m));
      squares = fma(multiply(difference, difference), all(share * static_cast<float>(rows.begin)), squares);
    }
    const Floats variance = divide(squares, all(static_cast<float>(a.rows)));
    store(a.mean + j, mean, m);
    store(a.variance + j, variance, m);
    store(a.inverse + j, divide(all(1), square_root(add(variance, all(a.epsilon)))), m);
  }
}

void normalize(const nnrun_batchnorm_f32& a, Slice rows, Slice columns) {
  for_each_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    Floats mean[vectors], scale[vectors], beta[vectors];
    repeat<vectors>([&](auto v) {
      const Mask m = v == vectors - 1 ? last : first(lanes);
      const int64_t at = j + v * lanes;
      const Floats inverse = divide(all(1), square_root(add(load(a.variance + at, m), all(a.epsilon))));
      mean[v] = load(a.mean + at, m);
      scale[v] = multiply(inverse, load(a.gamma + at, m));
      beta[v] = load(a.beta + at, m);
    });
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      repeat<vectors>([&](auto v) {
        const int64_t at = i * a.columns + j + v * lanes;
        if (v == vectors - 1) {
          store(a.y + at, fma(subtract(load(a.x + at, last), mean[v]), scale[v], beta[v]), last);
        } else {
          store(a.y + at, fma(subtract(load(a.x + at), mean[v]), scale[v], beta[v]));
        }
      });
    }
  });
}

// Sums of dy * xhat and of dy.
void gradient_sums(const nnrun_batchnorm_backward_f32& a, Slice rows, Slice columns, float* dgamma, float* dbeta) {
  for_each_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    Floats mean[vectors], sum[vectors], products[vectors];
    repeat<vectors>([&](auto v) {
      mean[v] = load(a.mean + j + v * lanes, v == vectors - 1 ? last : first(lanes));
      sum[v] = products[v] = zero();
    });
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      repeat<vectors>([&](auto v) {
        const int64_t at = i * a.columns + j + v * lanes;
        const Floats dy = v == vectors - 1 ? load(a.dy + at, last) : load(a.dy + at);
        const Floats x = v == vectors - 1 ? load(a.x + at, last) : load(a.x + at);
        sum[v] = add(sum[v], dy);
        products[v] = fma(dy, subtract(x, mean[v]), products[v]);
      });
    }
    repeat<vectors>([&](auto v) {
      const Mask m = v == vectors - 1 ? last : first(lanes);
      const int64_t at = j + v * lanes;
      store(dgamma + at, multiply(products[v], load(a.inverse + at, m)), m);
      store(dbeta + at, sum[v], m);
    });
  });
}

void combine(const nnrun_batchnorm_backward_f32& a, Slice columns, const float* partial) {
  const int64_t blocks = blocks_of(a.rows, a.columns);
  for (int64_t j = columns.begin; j < columns.end; j += lanes) {
    const Mask m = first(smaller(lanes, columns.end - j));
    Floats dgamma = zero(), dbeta = zero();
    for (int64_t block = 0; block < blocks; ++block) {
      dgamma = add(dgamma, load(partial + 2 * block * a.columns + j, m));
      dbeta = add(dbeta, load(partial + (2 * block + 1) * a.columns + j, m));
    }
    store(a.dgamma + j, dgamma, m);
    store(a.dbeta + j, dbeta, m);
  }
}

// dx = gamma * inverse * (dy - dbeta / rows - (x - mean) * inverse * dgamma / rows)
void input_gradient(const nnrun_batchnorm_backward_f32& a, Slice rows, Slice columns) {
  const Floats share = all(1 / static_cast<float>(a.rows));
  for_each_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    Floats mean[vectors], scale[vectors], offset[vectors], slope[vectors];
    repeat<vectors>([&](auto v) {
      const Mask m = v == vectors - 1 ? last : first(lanes);
      const int64_t at = j + v * lanes;
      const Floats inverse = load(a.inverse + at, m);
      mean[v] = load(a.mean + at, m);
      scale[v] = multiply(inverse, load(a.gamma + at, m));
      offset[v] = multiply(load(a.dbeta + at, m), share);
      slope[v] = multiply(multiply(load(a.dgamma + at, m), inverse), share);
    });
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      repeat<vectors>([&](auto v) {
        const int64_t at = i * a.columns + j + v * lanes;
        const Floats dy = v == vectors - 1 ? load(a.dy + at, last) : load(a.dy + at);
        const Floats x = v == vectors - 1 ? load(a.x + at, last) : load(a.x + at);
        const Floats dx = multiply(scale[v], fma_negated(subtract(x, mean[v]), slope[v], subtract(dy, offset[v])));
        if (v == vectors - 1) {
          store(a.dx + at, dx, last);
        } else {
          store(a.dx + at, dx);
        }
      });
    }
  });
}

}  // namespace

void batchnorm_f32_work(const nnrun_batchnorm_f32& a, nnrun_work& work) {
  if (a.training) {
    three_phases(a.rows, a.columns, work);
  } else {
    one_phase(work, blocks_of(a.rows, a.columns));
  }
}

void batchnorm_f32_run(const nnrun_batchnorm_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const Slice every_row = {0, a.rows}, every_column = {0, a.columns};
  const Slice block = slice_of(a.rows, rows_in_block(a.rows, a.columns), range);
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  float* partial = static_cast<float*>(workspace);
  if (!a.training || phase == 2) {
    normalize(a, block, every_column);
  } else if (blocks_of(a.rows, a.columns) == 1) {
    statistics(a, every_row, columns, a.mean, a.variance);
    combine(a, columns, a.mean, a.variance);
    normalize(a, every_row, columns);
  } else if (phase == 0) {
    statistics(a, block, every_column, partial + 2 * range * a.columns, partial + (2 * range + 1) * a.columns);
  } else {
    combine(a, columns, partial, partial + a.columns);
  }
}

void batchnorm_backward_f32_work(const nnrun_batchnorm_backward_f32& a, nnrun_work& work) { three_phases(a.rows, a.columns, work); }

void batchnorm_backward_f32_run(const nnrun_batchnorm_backward_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const Slice every_row = {0, a.rows}, every_column = {0, a.columns};
  const Slice block = slice_of(a.rows, rows_in_block(a.rows, a.columns), range);
  const Slice columns = slice_of(a.columns, columns_in_range, range);
  float* partial = static_cast<float*>(workspace);
  if (phase == 2) {
    input_gradient(a, block, every_column);
  } else if (blocks_of(a.rows, a.columns) == 1) {
    gradient_sums(a, every_row, columns, a.dgamma, a.dbeta);
    input_gradient(a, every_row, columns);
  } else if (phase == 0) {
    gradient_sums(a, block, every_column, partial + 2 * range * a.columns, partial + (2 * range + 1) * a.columns);
  } else {
    combine(a, columns, partial);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
