// What batch norms have in common, with and without a max-pool behind them.
//
// Rows are cut into blocks. Phase 0 writes two partial results a block, each (columns), to the workspace: those of block b at
// partial + 2 * b * columns. Phase 1 combines them in order, cut by columns; phase 2 goes over the blocks again.
#pragma once

#include "kernels.hpp"
#include "strips.hpp"

namespace {

// Blocks of `band` rows of a picture, each of `width` places. Without pictures: one of them, of width 1.
struct RowBlocks {
  int64_t pictures, height, width, band;
  int64_t in_picture() const { return ceil_divide(height, band); }
  int64_t count() const { return pictures * in_picture(); }
  int64_t picture(int64_t block) const { return block / in_picture(); }
  Slice picture_rows(int64_t block) const { return slice_of(height, band, block % in_picture()); }
  // Of (rows, columns).
  Slice rows(int64_t block) const {
    const Slice of_picture = picture_rows(block);
    const int64_t before = picture(block) * height;
    return {(before + of_picture.begin) * width, (before + of_picture.end) * width};
  }
  size_t partial_bytes(int64_t columns) const { return static_cast<size_t>(2 * count() * columns) * sizeof(float); }
};

constexpr int64_t columns_in_range = strip_vectors * lanes;  // of phase 1

struct BatchnormStatistics {
  float* mean;
  float* variance;
  float* inverse;
  float epsilon;
};

// Vector v of the `vectors` at p, of which the last one ends with the columns.
template <int vectors>
__attribute__((always_inline)) inline Floats load_of(const float* p, int v, Mask last) {
  return v == vectors - 1 ? load(p + v * lanes, last) : load(p + v * lanes);
}
template <int vectors>
__attribute__((always_inline)) inline void store_of(float* p, int v, Floats x, Mask last) {
  if (v == vectors - 1) {
    store(p + v * lanes, x, last);
  } else {
    store(p + v * lanes, x);
  }
}

// What y = (x - mean) * scale + beta takes, of some columns.
template <int vectors>
struct Normal {
  Floats mean[vectors], scale[vectors], beta[vectors];

  __attribute__((always_inline)) Normal(const float* means, const float* gamma, const float* betas, int64_t j, Mask last) {
    repeat<vectors>([&](auto v) {
      mean[v] = load_of<vectors>(means + j, v, last);
      scale[v] = load_of<vectors>(gamma + j, v, last);
      beta[v] = load_of<vectors>(betas + j, v, last);
    });
  }
  __attribute__((always_inline)) void multiply_by_inverse(const float* inverse, int64_t j, Mask last) {
    repeat<vectors>([&](auto v) { scale[v] = multiply(load_of<vectors>(inverse + j, v, last), scale[v]); });
  }
  __attribute__((always_inline)) void multiply_by_inverse_of(const float* variance, float epsilon, int64_t j, Mask last) {
    repeat<vectors>([&](auto v) {
      const Floats inverse = divide(all(1), square_root(add(load_of<vectors>(variance + j, v, last), all(epsilon))));
      scale[v] = multiply(inverse, scale[v]);
    });
  }
  __attribute__((always_inline)) Floats of(Floats x, int v) const { return fma(subtract(x, mean[v]), scale[v], beta[v]); }
};

// body(sums, i) for all rows adds to `count` sums, which come several times where vectors are few: that hides an addition's latency.
template <int vectors, int count, class Body>
__attribute__((always_inline)) inline void sum_rows(Slice rows, Floats (&sums)[count], Body body) {
  constexpr int ways = strip_vectors / vectors;
  Floats parts[ways][count];
  repeat<ways>([&](auto way) { repeat<count>([&](auto k) { parts[way][k] = zero(); }); });
  int64_t i = rows.begin;
  for (; i + ways <= rows.end; i += ways) repeat<ways>([&](auto way) __attribute__((always_inline)) { body(parts[way], i + way); });
  for (; i < rows.end; ++i) body(parts[0], i);
  repeat<count>([&](auto k) {
    sums[k] = parts[0][k];
    repeat<ways - 1>([&](auto way) { sums[k] = add(sums[k], parts[way + 1][k]); });
  });
}

// Means of columns and sums of squared differences from them; x is (rows, width).
inline void batchnorm_statistics(const float* x, int64_t width, Slice rows, Slice columns, float* mean, float* squares) {
  for_each_wide_strip(columns, [&](auto vectors, int64_t j, Mask last) {
    Floats sum[vectors], m[vectors];
    sum_rows<vectors>(
        rows, sum, [&](Floats * part, int64_t i) __attribute__((always_inline)) {
          repeat<vectors>([&](auto v) { part[v] = add(part[v], load_of<vectors>(x + i * width + j, v, last)); });
        });
    repeat<vectors>([&](auto v) {
      m[v] = divide(sum[v], all(static_cast<float>(rows.size())));
      store_of<vectors>(mean + j, v, m[v], last);
    });
    sum_rows<vectors>(
        rows, sum, [&](Floats * part, int64_t i) __attribute__((always_inline)) {
          repeat<vectors>([&](auto v) {
            const Floats difference = subtract(load_of<vectors>(x + i * width + j, v, last), m[v]);
            part[v] = fma(difference, difference, part[v]);
          });
        });
    repeat<vectors>([&](auto v) { store_of<vectors>(squares + j, v, sum[v], last); });
  });
}

// From those of all blocks to the batch's: Chan, Golub and LeVeque 1979.
inline void batchnorm_combine(const RowBlocks& blocks, int64_t width, Slice columns, const float* means, const float* squares_of_blocks,
                              const BatchnormStatistics& to) {
  const int64_t count = blocks.count(), rows = blocks.rows(count - 1).end;
  for (int64_t j = columns.begin; j < columns.end; j += lanes) {
    const Mask m = first(smaller(lanes, columns.end - j));
    Floats mean = load(means + j, m), squares = load(squares_of_blocks + j, m);
    for (int64_t block = 1; block < count; ++block) {
      const int64_t at = 2 * block * width + j;
      const Slice of_block = blocks.rows(block);
      const float share = static_cast<float>(of_block.size()) / static_cast<float>(of_block.end);
      const Floats difference = subtract(load(means + at, m), mean);
      mean = fma(difference, all(share), mean);
      squares = add(squares, load(squares_of_blocks + at, m));
      squares = fma(multiply(difference, difference), all(share * static_cast<float>(of_block.begin)), squares);
    }
    const Floats variance = divide(squares, all(static_cast<float>(rows)));
    store(to.mean + j, mean, m);
    store(to.variance + j, variance, m);
    store(to.inverse + j, divide(all(1), square_root(add(variance, all(to.epsilon)))), m);
  }
}

// Sums of the blocks' dgamma and dbeta.
inline void batchnorm_add_up(int64_t blocks, int64_t width, Slice columns, const float* partial, float* dgamma, float* dbeta) {
  for (int64_t j = columns.begin; j < columns.end; j += lanes) {
    const Mask m = first(smaller(lanes, columns.end - j));
    Floats sum_dgamma = zero(), sum_dbeta = zero();
    for (int64_t block = 0; block < blocks; ++block) {
      sum_dgamma = add(sum_dgamma, load(partial + 2 * block * width + j, m));
      sum_dbeta = add(sum_dbeta, load(partial + (2 * block + 1) * width + j, m));
    }
    store(dgamma + j, sum_dgamma, m);
    store(dbeta + j, sum_dbeta, m);
  }
}

}  // namespace
