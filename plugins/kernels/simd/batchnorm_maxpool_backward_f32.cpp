// The gradient behind a pool is sparse: its sums look at one place of four. dx is dense again, since the statistics depend on every x.
#include "batchnorm_pictures.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr char nowhere = 4;

template <int vectors>
__attribute__((always_inline)) inline Bytes places_of(const uint8_t* argmax, int v, int64_t channels_left) {
  return load_bytes(argmax + v * lanes, v == vectors - 1 ? smaller(lanes, channels_left - v * lanes) : lanes, nowhere);
}

// Sums of dy * xhat and of dy.
void gradient_sums(const nnrun_batchnorm_maxpool_backward_f32& a, int64_t picture, Slice rows, float* dgamma, float* dbeta) {
  const int64_t from_width = a.width / 2, below = a.width * a.channels;
  for_each_wide_strip({0, a.channels}, [&](auto vectors, int64_t j, Mask last) {
    Floats mean[vectors], sums[2 * vectors];
    repeat<vectors>([&](auto v) { mean[v] = load_of<vectors>(a.mean + j, v, last); });
    repeat<2 * vectors>([&](auto k) { sums[k] = zero(); });
    for (int64_t row = rows.begin; row < rows.end; ++row) {
      const float* x = a.x + (picture * a.height + 2 * row) * below + j;
      const int64_t from = (picture * (a.height / 2) + row) * from_width * a.channels + j;
      Floats of_row[2 * vectors];
      sum_rows<vectors>(
          {0, from_width}, of_row, [&](Floats * part, int64_t column) __attribute__((always_inline)) {
            const float* window = x + 2 * column * a.channels;
            const int64_t at = from + column * a.channels;
            repeat<vectors>([&](auto v) __attribute__((always_inline)) {
              const Bytes place = places_of<vectors>(a.argmax + at, v, a.channels - j);
              const float* p = window + v * lanes;
              Floats largest = load_into(mean[v], p, equal(place, 0));
              largest = load_into(largest, p + a.channels, equal(place, 1));
              largest = load_into(largest, p + below, equal(place, 2));
              largest = load_into(largest, p + below + a.channels, equal(place, 3));
              const Floats dy = select(equal(place, nowhere), zero(), load_of<vectors>(a.dy + at, v, last));
              part[v] = fma(dy, subtract(largest, mean[v]), part[v]);
              part[vectors + v] = add(part[vectors + v], dy);
            });
          });
      repeat<2 * vectors>([&](auto k) { sums[k] = add(sums[k], of_row[k]); });
    }
    repeat<vectors>([&](auto v) {
      store_of<vectors>(dgamma + j, v, multiply(sums[v], load_of<vectors>(a.inverse + j, v, last)), last);
      store_of<vectors>(dbeta + j, v, sums[vectors + v], last);
    });
  });
}

// dx = gamma * inverse * (dy - dbeta / rows - (x - mean) * inverse * dgamma / rows); not in training gamma * inverse * dy
template <bool training>
void input_gradient(const nnrun_batchnorm_maxpool_backward_f32& a, int64_t picture, Slice picture_rows) {
  const int64_t below = a.width * a.channels, right = a.channels;
  const Slice pooled_columns = {0, a.width / 2};
  const Floats share = all(1 / static_cast<float>(a.batch * a.height * a.width));
  for_each_wide_strip({0, a.channels}, [&](auto vectors, int64_t j, Mask last) {
    Floats mean[vectors], scale[vectors], offset[vectors], slope[vectors];
    repeat<vectors>([&](auto v) {
      const Floats inverse = load_of<vectors>(a.inverse + j, v, last);
      scale[v] = multiply(inverse, load_of<vectors>(a.gamma + j, v, last));
      mean[v] = offset[v] = slope[v] = zero();
      if constexpr (training) {
        mean[v] = load_of<vectors>(a.mean + j, v, last);
        offset[v] = multiply(load_of<vectors>(a.dbeta + j, v, last), share);
        slope[v] = multiply(multiply(load_of<vectors>(a.dgamma + j, v, last), inverse), share);
      }
    });
    const auto write = [&](int64_t at, auto v, Floats dy) __attribute__((always_inline)) {
      if constexpr (training) {
        const Floats x = load_of<vectors>(a.x + at, v, last);
        dy = fma_negated(subtract(x, mean[v]), slope[v], subtract(dy, offset[v]));
      }
      store_of<vectors>(a.dx + at, v, multiply(scale[v], dy), last);
    };
    // Places that no window holds.
    const auto write_rest = [&](int64_t row, int64_t first_column) {
      int64_t at = ((picture * a.height + row) * a.width + first_column) * a.channels + j;
      for (int64_t column = first_column; column < a.width; ++column, at += a.channels)
        repeat<vectors>([&](auto v) __attribute__((always_inline)) { write(at, v, zero()); });
    };
    for (int64_t row = picture_rows.begin / 2; row < picture_rows.end / 2; ++row) {
      int64_t from = (picture * (a.height / 2) + row) * pooled_columns.end * a.channels + j;
      int64_t to = (picture * a.height + 2 * row) * below + j;
      for (int64_t column = 0; column < pooled_columns.end; ++column, from += a.channels, to += 2 * a.channels) {
        repeat<vectors>([&](auto v) __attribute__((always_inline)) {
          const Bytes place = places_of<vectors>(a.argmax + from, v, a.channels - j);
          const Floats dy = load_of<vectors>(a.dy + from, v, last);
          write(to, v, select(equal(place, 0), dy, zero()));
          write(to + right, v, select(equal(place, 1), dy, zero()));
          write(to + below, v, select(equal(place, 2), dy, zero()));
          write(to + below + right, v, select(equal(place, 3), dy, zero()));
        });
      }
      write_rest(2 * row, 2 * pooled_columns.end);
      write_rest(2 * row + 1, 2 * pooled_columns.end);
    }
    if (picture_rows.end % 2 != 0) write_rest(picture_rows.end - 1, 0);
  });
}

}  // namespace

void batchnorm_maxpool_backward_f32_work(const nnrun_batchnorm_maxpool_backward_f32& a, nnrun_work& work) {
  const RowBlocks blocks = blocks_of_pictures(a);
  if (!a.training) {
    one_phase(work, blocks.count());
    work.batch_phase = 1;
    return;
  }
  three_phases_of_pictures(blocks, a.channels, work);
  if (a.has_gradient) return;
  work.phases = 2;
  work.batch_phase = work.ahead = 0;
}

void batchnorm_maxpool_backward_f32_run(const nnrun_batchnorm_maxpool_backward_f32& a, void* workspace, uint32_t phase, int64_t range) {
  const RowBlocks blocks = blocks_of_pictures(a);
  float* partial = static_cast<float*>(workspace);
  if (!a.training) {
    input_gradient<false>(a, blocks.picture(range), blocks.picture_rows(range));
  } else if (phase == 0) {
    float* dgamma = partial + 2 * range * a.channels;
    gradient_sums(a, blocks.picture(range), pooled_rows(blocks, range), dgamma, dgamma + a.channels);
  } else if (phase == 1) {
    batchnorm_add_up(blocks.count(), a.channels, slice_of(a.channels, columns_in_range, range), partial, a.dgamma, a.dbeta);
  } else {
    input_gradient<true>(a, blocks.picture(range), blocks.picture_rows(range));
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
