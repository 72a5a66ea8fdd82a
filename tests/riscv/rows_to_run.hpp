// Every row of fixed_kernels.h with numbers of its own making, for tests that look at what runs, not at what comes out (tests/kernels
// compares that).
#pragma once

#include "rows.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace nnrun_riscv {

class RowsToRun {
 public:
  explicit RowsToRun(std::uint32_t seed) : random_(seed) {}

  template <class Arguments>
  void matmul(Guest& guest, std::int64_t rows, std::int64_t features, std::int64_t depth, bool bias) {
    Arguments a{};
    a.rows = rows;
    a.features = features;
    a.depth = depth;
    a.has_bias = bias ? 1 : 0;
    if constexpr (requires { a.shift; }) a.shift = 12;
    using X = std::remove_cvref_t<decltype(*a.x)>;
    using W = std::remove_cvref_t<decltype(*a.weights)>;
    const auto x = numbers<X>(rows * depth);
    const auto weights = numbers<W>(features * depth);
    const auto b = numbers<std::int32_t>(features);
    std::vector<std::int32_t> y(size(rows * features));
    a.x = x.data();
    a.weights = weights.data();
    a.bias = bias ? b.data() : nullptr;
    a.y = y.data();
    run_row(guest, a, 0);
  }

  template <class Arguments>
  void conv2d(Guest& guest, const nnrun_windows& w, std::int64_t channels, std::int64_t filters, std::int64_t groups, bool bias) {
    Arguments a{};
    a.windows = w;
    a.channels = channels;
    a.filters = filters;
    a.groups = groups;
    a.has_bias = bias ? 1 : 0;
    using X = std::remove_cvref_t<decltype(*a.x)>;
    using W = std::remove_cvref_t<decltype(*a.weights)>;
    const auto x = numbers<X>(w.input[0] * w.input[1] * channels);
    const auto weights = numbers<W>(filters * w.kernel[0] * w.kernel[1] * channels / groups);
    const auto b = numbers<std::int32_t>(filters);
    std::vector<std::int32_t> y(size(w.output[0] * w.output[1] * filters));
    a.x = x.data();
    a.weights = weights.data();
    a.bias = bias ? b.data() : nullptr;
    a.y = y.data();
    run_row(guest, a, 0);
  }

  template <class Arguments>
  void maxpool2d(Guest& guest, const nnrun_windows& w, std::int64_t channels) {
    Arguments a{};
    a.windows = w;
    a.channels = channels;
    using X = std::remove_cvref_t<decltype(*a.x)>;
    const auto x = numbers<X>(w.input[0] * w.input[1] * channels);
    std::vector<X> y(size(w.output[0] * w.output[1] * channels));
    a.x = x.data();
    a.y = y.data();
    run_row(guest, a, 0);
  }

  template <class Arguments>
  void elementwise(Guest& guest, std::int64_t count) {
    Arguments a{};
    a.count = count;
    if constexpr (requires { a.factor; }) a.factor = 257;
    const auto x = numbers<std::remove_cvref_t<decltype(*a.x)>>(count);
    std::vector<std::int32_t> y(size(count));
    a.x = x.data();
    a.y = y.data();
    run_row(guest, a, 0);
  }

  void argmax(Guest& guest, std::int64_t rows, std::int64_t columns) {
    nnrun_argmax_s32 a{};
    a.rows = rows;
    a.columns = columns;
    const auto x = numbers<std::int32_t>(rows * columns);
    std::vector<std::int32_t> y(size(rows));
    a.x = x.data();
    a.y = y.data();
    run_row(guest, a, 0);
  }

  void dot(Guest& guest, std::int64_t count) {
    nnrun_dot_s32 a{};
    a.count = count;
    a.stride_a = 1;
    a.stride_b = 2;
    const auto x = numbers<std::int32_t>(count), z = numbers<std::int32_t>(2 * count);
    std::int32_t y = 0;
    a.a = x.data();
    a.b = z.data();
    a.y = &y;
    run_row(guest, a, 0);
  }

  void requantize(Guest& guest, std::int64_t rows, std::int64_t columns, bool per_column, std::int32_t shift) {
    nnrun_requantize a{};
    a.rows = rows;
    a.columns = columns;
    a.per_column = per_column ? 1 : 0;
    const auto x = numbers<std::int32_t>(rows * columns);
    const std::vector<std::int32_t> multiplier(size(columns) + 1, 0x40000000), shifts(size(columns) + 1, shift);
    std::vector<std::uint8_t> y(size(rows * columns));
    a.x = x.data();
    a.multiplier = multiplier.data();
    a.shift = shifts.data();
    a.y = y.data();
    run_row(guest, a, 0);
  }

  static nnrun_windows windows(std::int64_t height, std::int64_t width, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    nnrun_windows w{};
    w.batch = 1;
    const std::int64_t input[2] = {height, width};
    for (int i = 0; i < 2; ++i) {
      w.input[i] = input[i];
      w.kernel[i] = kernel;
      w.stride[i] = stride;
      w.dilation[i] = 1;
      w.padding[i] = padding;
      w.output[i] = (input[i] + 2 * padding - kernel) / stride + 1;
    }
    return w;
  }

 private:
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }
  template <class T>
  std::vector<T> numbers(std::int64_t count) {
    std::vector<T> values(size(count));
    for (T& value : values) value = static_cast<T>(random_());
    return values;
  }

  std::mt19937 random_;
};

}  // namespace nnrun_riscv
