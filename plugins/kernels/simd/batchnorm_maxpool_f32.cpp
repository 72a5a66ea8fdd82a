// What is normalised never goes to memory: only the largest of each window does.
#include "batchnorm_pictures.hpp"
#include "pool_2x2.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

template <bool relu>
void normalize_and_pool(const nnrun_batchnorm_maxpool_f32& a, int64_t picture, Slice rows) {
  const int64_t to_width = a.width / 2, below = a.width * a.channels, right = a.channels;
  for_each_wide_strip({0, a.channels}, [&](auto vectors, int64_t j, Mask last) {
    Normal<vectors> normal(a.mean, a.gamma, a.beta, j, last);
    normal.multiply_by_inverse_of(a.variance, a.epsilon, j, last);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      const float* x = a.x + (picture * a.height + 2 * row) * below + j;
      int64_t to = (picture * (a.height / 2) + row) * to_width * a.channels + j;
      for (int64_t column = 0; column < to_width; ++column, x += 2 * right, to += a.channels) {
        repeat<vectors>([&](auto v) __attribute__((always_inline)) {
          const auto y = [&](int64_t place) __attribute__((always_inline)) { return normal.of(load_of<vectors>(x + place, v, last), v); };
          const Pooled pooled = with_relu<relu>(largest_of_four(y(0), y(right), y(below), y(below + right)));
          store_of<vectors>(a.y + to, v, pooled.y, last);
          if (a.argmax != nullptr) to_bytes(a.argmax + to + v * lanes, pooled.argmax, smaller(lanes, a.channels - j - v * lanes));
        });
      }
    }
  });
}

}  // namespace

void batchnorm_maxpool_f32_work(const nnrun_batchnorm_maxpool_f32& a, nnrun_work& work) {
  const RowBlocks blocks = blocks_of_pictures(a);
  if (a.training) {
    three_phases_of_pictures(blocks, a.channels, work);
  } else {
    one_phase(work, blocks.count());
    work.batch_phase = 1;
  }
}

void batchnorm_maxpool_f32_run(const nnrun_batchnorm_maxpool_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const RowBlocks blocks = blocks_of_pictures(a);
  float* partial = static_cast<float*>(workspace);
  if (!a.training || phase == 2) {
    const int64_t picture = blocks.picture(range);
    const Slice rows = pooled_rows(blocks, range);
    a.relu ? normalize_and_pool<true>(a, picture, rows) : normalize_and_pool<false>(a, picture, rows);
  } else if (phase == 0) {
    float* mean = partial + 2 * range * a.channels;
    batchnorm_statistics(a.x, a.channels, blocks.rows(range), {0, a.channels}, mean, mean + a.channels);
  } else {
    batchnorm_combine(blocks, a.channels, slice_of(a.channels, columns_in_range, range), partial, partial + a.channels,
                      {a.mean, a.variance, a.inverse, a.epsilon});
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
