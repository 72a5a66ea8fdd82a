#include <algorithm>
#include <catch2/catch.hpp>

#include "conv2d.hpp"
#include "fixed.hpp"

namespace {

using Engine = std::mt19937;

template <class Arguments>
using XOf = std::remove_cvref_t<decltype(*std::declval<Arguments>().x)>;
template <class Arguments>
using WeightOf = std::remove_cvref_t<decltype(*std::declval<Arguments>().weights)>;

// Sets what only some rows have.
template <class Arguments>
std::string choose(Engine& random, Arguments& a) {
  a.has_bias = random() % 2;
  std::string text = a.has_bias ? " bias" : "";
  if constexpr (requires { a.shift; }) {
    a.shift = static_cast<int32_t>(between(random, 0, 31));
    text += " shift " + std::to_string(a.shift);
  }
  if constexpr (requires { a.outside; }) {
    a.outside = static_cast<int32_t>(random() % 3 == 0 ? 0 : between(random, 0, 255));
    text += " outside " + std::to_string(a.outside);
  }
  return text;
}

template <class Arguments, class Sum>
Problem matmul(Engine& random, int64_t rows, int64_t features, int64_t depth) {
  Arguments a = {};
  a.rows = rows;
  a.features = features;
  a.depth = depth;
  const std::string text = choose(random, a);
  Problem problem(std::to_string(rows) + " x " + std::to_string(features) + " x " + std::to_string(depth) + text, random() % 2 == 0);
  problem.shape(a);
  const auto x = integers<XOf<Arguments>>(random, rows * depth);
  const auto weights = integers<WeightOf<Arguments>>(random, features * depth);
  const auto bias = integers<int32_t>(random, a.has_bias ? features : 0);
  a.x = problem.input(x);
  a.weights = problem.input(weights);
  if (a.has_bias) a.bias = problem.input(bias);
  a.y = problem.output(integers<int32_t>(random, rows * features));
  problem.arguments(a);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t f = 0; f < features; ++f) {
      Sum sum;
      for (int64_t k = 0; k < depth; ++k) sum.add(x[static_cast<size_t>(i * depth + k)], weights[static_cast<size_t>(f * depth + k)]);
      problem.expect_exactly(a.y, i * features + f, sum.result(a, a.has_bias ? bias[static_cast<size_t>(f)] : 0));
    }
  }
  return problem;
}

template <class Arguments, class Sum>
Problem conv2d(Engine& random, const Shape& shape) {
  auto a = arguments_of<Arguments>(shape);
  const std::string text = choose(random, a);
  Problem problem(describe(shape) + text, random() % 2 == 0);
  problem.shape(a);
  const auto x = integers<XOf<Arguments>>(random, pixels(a.windows.batch, a.windows.input) * a.channels);
  const auto weights = integers<WeightOf<Arguments>>(random, weights_of(shape));
  const auto bias = integers<int32_t>(random, a.has_bias ? a.filters : 0);
  const int64_t outputs = pixels(a.windows.batch, a.windows.output) * a.filters;
  a.x = problem.input(x);
  a.weights = problem.input(weights);
  if (a.has_bias) a.bias = problem.input(bias);
  a.y = problem.output(integers<int32_t>(random, outputs));
  problem.arguments(a);
  std::vector<Sum> sums(static_cast<size_t>(outputs));
  int64_t outside = 0;
  if constexpr (requires { a.outside; }) {
    // All places count as `outside` at first; then those that are in x as what they are.
    outside = a.outside;
    const int64_t depth = weights_of(shape) / a.filters;
    for (int64_t i = 0; i < outputs; ++i) {
      for (int64_t k = 0; k < depth; ++k)
        sums[static_cast<size_t>(i)].add(outside, weights[static_cast<size_t>(i % a.filters * depth + k)]);
    }
  }
  for_each_product(shape, [&](int64_t from, int64_t weight, int64_t to) {
    sums[static_cast<size_t>(to)].add(x[static_cast<size_t>(from)] - outside, weights[static_cast<size_t>(weight)]);
  });
  for (int64_t i = 0; i < outputs; ++i)
    problem.expect_exactly(a.y, i, sums[static_cast<size_t>(i)].result(a, a.has_bias ? bias[static_cast<size_t>(i % a.filters)] : 0));
  return problem;
}

template <class Arguments, class Sum>
void matmul_problems(const Use& use) {
  Engine random(1);
  const auto problem = [&](int64_t rows, int64_t features, int64_t depth) {
    Problem p = matmul<Arguments, Sum>(random, rows, features, depth);
    use(p);
  };
  for (int64_t rows : {1, 2, 3, 5, 7}) {
    for (int64_t features : {1, 3, 4, 7, 10, 16, 17, 37}) {
      for (int64_t depth : {1, 3, 4, 7, 8, 13, 16, 17, 31, 33, 63, 64, 65, 127, 130}) problem(rows, features, depth);
    }
  }
  problem(1, 128, 784);
  problem(9, 10, 1000);
  problem(70, 65, 129);
  problem(1, 700, 900);  // several ranges
  problem(300, 90, 70);
  problem(3, 2, 20000);
}

template <class Arguments, class Sum>
void conv2d_problems(const Use& use) {
  Engine random(2);
  for (const Shape& s : shapes()) {
    Problem p = conv2d<Arguments, Sum>(random, s);
    use(p);
  }
}

Shape random_shape(Engine& random) {
  Shape s = {};
  s.windows.batch = between(random, 1, 2);
  for (int axis = 0; axis < 2; ++axis) {
    WindowShape& w = s.windows;
    w.kernel[axis] = between(random, 1, 3);
    w.stride[axis] = between(random, 1, 3);
    w.dilation[axis] = between(random, 1, 2);
    w.before[axis] = between(random, 0, 2);
    w.behind[axis] = between(random, 0, 2);
    const int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    w.size[axis] = between(random, std::max<int64_t>(1, reach - w.before[axis] - w.behind[axis]), 6);
  }
  s.groups = between(random, 1, 2);
  s.channels = s.groups * between(random, 1, 5);
  s.filters = s.groups * between(random, 1, 5);
  return s;
}

template <class Arguments, class Sum>
Problem random_matmul(Engine& random) {
  return matmul<Arguments, Sum>(random, between(random, 1, 6), between(random, 1, 9), between(random, 1, 40));
}

template <class Arguments, class Sum>
Problem random_conv2d(Engine& random) {
  return conv2d<Arguments, Sum>(random, random_shape(random));
}

#define TEST_PRODUCTS(suffix, Sum)                                                                      \
  void matmul_##suffix##_problems(const Use& use) { matmul_problems<nnrun_matmul_##suffix, Sum>(use); } \
  void conv2d_##suffix##_problems(const Use& use) { conv2d_problems<nnrun_conv2d_##suffix, Sum>(use); } \
  NNRUN_TEST_ROW(matmul_##suffix, matmul_##suffix##_problems)                                           \
  NNRUN_TEST_ROW(conv2d_##suffix, conv2d_##suffix##_problems)                                           \
  TEST_CASE("matmul_" #suffix ", random shapes and numbers", "[random]") {                              \
    check_random("matmul_" #suffix, random_problems, random_matmul<nnrun_matmul_##suffix, Sum>);        \
  }                                                                                                     \
  TEST_CASE("conv2d_" #suffix ", random shapes and numbers", "[random]") {                              \
    check_random("conv2d_" #suffix, random_problems, random_conv2d<nnrun_conv2d_##suffix, Sum>);        \
  }

TEST_PRODUCTS(q16, FixedSumQ16)
TEST_PRODUCTS(q16_low, FixedSumQ16Low)
TEST_PRODUCTS(s32, FixedSumS32)
TEST_PRODUCTS(s8, FixedSumS8)

}  // namespace
