// Matrix products and convolutions of integers: the formulas of <nnrun/fixed_kernels.h>, a product at a time.
#include "../common/integers.hpp"
#include "../common/windows.hpp"
#include "kernels.hpp"

namespace nnrun_scalar {
namespace {

constexpr int64_t products_per_range = int64_t{1} << 18;

template <class Arguments>
int64_t rows_in_range(const Arguments& a) {
  return larger(1, products_per_range / larger(1, a.features * a.depth));
}

template <class Arguments>
void matmul_work(const Arguments& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.rows, rows_in_range(a)));
}

template <class Kind, class Arguments>
void matmul(const Arguments& a, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_in_range(a), range);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    for (int64_t f = 0; f < a.features; ++f) {
      const int32_t bias = a.bias ? a.bias[f] : 0;
      const typename Kind::X* x = a.x + i * a.depth;
      const typename Kind::W* weights = a.weights + f * a.depth;
      typename Kind::Sum sum = Kind::start(bias);
      for (int64_t k = 0; k < a.depth; ++k) sum = Kind::add(sum, x[k], weights[k]);
      a.y[i * a.features + f] = Kind::finish(sum, bias, shift_of(a));
    }
  }
}

// A range is a row of y.
template <class Arguments>
void conv2d_work(const Arguments& a, nnrun_work& work) {
  one_phase(work, a.windows.batch * a.windows.output[0]);
}

template <class Kind, class Arguments>
void conv2d(const Arguments& a, int64_t range) {
  const nnrun_windows& w = a.windows;
  const int64_t n = range / w.output[0], row = range % w.output[0];
  const int64_t group_channels = a.channels / a.groups, group_filters = a.filters / a.groups;
  for (int64_t column = 0; column < w.output[1]; ++column) {
    for (int64_t f = 0; f < a.filters; ++f) {
      const int32_t bias = a.bias ? a.bias[f] : 0;
      const typename Kind::W* weights = a.weights + f * w.kernel[0] * w.kernel[1] * group_channels;
      typename Kind::Sum sum = Kind::start(bias);
      for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
        for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
          const int64_t y = row * w.stride[0] - w.padding[0] + ky * w.dilation[0];
          const int64_t x = column * w.stride[1] - w.padding[1] + kx * w.dilation[1];
          const bool inside = y >= 0 && y < w.input[0] && x >= 0 && x < w.input[1];
          const int64_t place = ((n * w.input[0] + y) * w.input[1] + x) * a.channels + f / group_filters * group_channels;
          for (int64_t c = 0; c < group_channels; ++c) {
            const auto value = inside ? a.x[place + c] : static_cast<typename Kind::X>(outside_of(a));
            sum = Kind::add(sum, value, *weights++);
          }
        }
      }
      a.y[(range * w.output[1] + column) * a.filters + f] = Kind::finish(sum, bias, shift_of(a));
    }
  }
}

}  // namespace

#define NNRUN_PRODUCTS(suffix, Kind)                                                                                     \
  void matmul_##suffix##_work(const nnrun_matmul_##suffix& a, nnrun_work& work) { matmul_work(a, work); }                \
  void matmul_##suffix##_run(const nnrun_matmul_##suffix& a, void*, uint32_t, int64_t range) { matmul<Kind>(a, range); } \
  void conv2d_##suffix##_work(const nnrun_conv2d_##suffix& a, nnrun_work& work) { conv2d_work(a, work); }                \
  void conv2d_##suffix##_run(const nnrun_conv2d_##suffix& a, void*, uint32_t, int64_t range) { conv2d<Kind>(a, range); }

NNRUN_PRODUCTS(q16, Q16)
NNRUN_PRODUCTS(q16_low, Q16Low)
NNRUN_PRODUCTS(s32, S32)
NNRUN_PRODUCTS(s8, S8)

}  // namespace nnrun_scalar
