#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "fixed.hpp"
#include "harness.hpp"
#include "windows.hpp"

namespace {

using Engine = std::mt19937;

constexpr int64_t counts[] = {1, 3, 7, 8, 13, 16, 17, 31, 64, 127, 128, 16384, 16385, 40000};

// y[i] = function(x[i]), in place or not.
template <class Arguments, class Function>
Problem elementwise(Engine& random, int64_t count, Function function) {
  const bool in_place = random() % 2 == 0;
  Problem problem(std::to_string(count) + (in_place ? " in place" : ""), random() % 2 == 0);
  Arguments a = {};
  a.count = count;
  problem.shape(a);
  const auto x = integers<int32_t>(random, count);
  a.y = problem.output(in_place ? x : integers<int32_t>(random, count));
  a.x = in_place ? a.y : problem.input(x);
  problem.arguments(a);
  for (size_t i = 0; i < x.size(); ++i) problem.expect_exactly(a.y, static_cast<int64_t>(i), function(x[i]));
  return problem;
}

Problem relu(Engine& random, int64_t count) {
  return elementwise<nnrun_relu_s32>(random, count, [](int32_t x) { return std::max(x, 0); });
}

Problem absolute(Engine& random, int64_t count) {
  return elementwise<nnrun_abs_s32>(random, count, [](int64_t x) { return wrapped32(x < 0 ? -x : x); });
}

Problem u8_to_s32(Engine& random, int64_t count) {
  nnrun_u8_to_s32 a = {};
  a.count = count;
  a.factor = random() % 2 == 0 ? 257 : integers<int32_t>(random, 1)[0];
  Problem problem(std::to_string(count) + " times " + std::to_string(a.factor), random() % 2 == 0);
  problem.shape(a);
  const auto x = integers<uint8_t>(random, count);
  a.x = problem.input(x);
  a.y = problem.output(integers<int32_t>(random, count));
  problem.arguments(a);
  for (size_t i = 0; i < x.size(); ++i) problem.expect_exactly(a.y, static_cast<int64_t>(i), wrapped32(Wide{x[i]} * a.factor));
  return problem;
}

Problem f32_to_u8(Engine& random, int64_t count) {
  nnrun_f32_to_u8 a = {};
  a.count = count;
  a.scale = random() % 2 == 0 ? 255.0f : 37.3f;
  a.offset = random() % 2 == 0 ? 0.5f : -3.25f;
  Problem problem(std::to_string(count), random() % 2 == 0);
  problem.shape(a);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {0.0f, -0.0f, 1.0f, 2.0f, 1e30f, -1e30f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
  std::vector<float> x(static_cast<size_t>(count));
  for (float& number : x) {
    number = random() % 8 == 0 ? special[random() % std::size(special)] : static_cast<float>(between(random, -200, 1200)) / 1000.0f;
  }
  a.x = problem.input(x);
  a.y = problem.output(integers<uint8_t>(random, count));
  problem.arguments(a);
  for (size_t i = 0; i < x.size(); ++i) {
    volatile float product = x[i] * a.scale;  // rounded on its own
    volatile float sum = product + a.offset;
    const float y = std::floor(sum);
    problem.expect(a.y, static_cast<int64_t>(i), y > 255 ? 255.0 : y > 0 ? static_cast<double>(y) : 0.0, 0);
  }
  return problem;
}

Problem dot(Engine& random, int64_t count) {
  nnrun_dot_s32 a = {};
  a.count = count;
  a.stride_a = random() % 2 == 0 ? 1 : between(random, 1, 5);
  a.stride_b = random() % 2 == 0 ? 1 : between(random, 1, 5);
  Problem problem(std::to_string(count) + " strides " + std::to_string(a.stride_a) + " " + std::to_string(a.stride_b), random() % 2 == 0);
  problem.shape(a);
  const auto x = integers<int32_t>(random, (count - 1) * a.stride_a + 1);
  const auto y = integers<int32_t>(random, (count - 1) * a.stride_b + 1);
  a.a = problem.input(x);
  a.b = problem.input(y);
  a.y = problem.output(integers<int32_t>(random, 1));
  problem.arguments(a);
  Wide sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += Wide{x[static_cast<size_t>(i * a.stride_a)]} * y[static_cast<size_t>(i * a.stride_b)];
  problem.expect_exactly(a.y, 0, wrapped32(sum));
  return problem;
}

Problem argmax(Engine& random, int64_t rows, int64_t columns) {
  nnrun_argmax_s32 a = {};
  a.rows = rows;
  a.columns = columns;
  Problem problem(std::to_string(rows) + " x " + std::to_string(columns), random() % 2 == 0);
  problem.shape(a);
  auto x = integers<int32_t>(random, rows * columns);
  if (random() % 2 == 0) {
    for (int32_t& number : x) number = number % 3;  // many are equal
  }
  a.x = problem.input(x);
  a.y = problem.output(integers<int32_t>(random, rows));
  problem.arguments(a);
  for (int64_t i = 0; i < rows; ++i) {
    const auto row = x.begin() + i * columns;
    problem.expect_exactly(a.y, i, static_cast<int32_t>(std::max_element(row, row + columns) - row));
  }
  return problem;
}

Problem requantize(Engine& random, int64_t rows, int64_t columns) {
  nnrun_requantize a = {};
  a.rows = rows;
  a.columns = columns;
  a.per_column = random() % 2;
  const bool at_end = random() % 2 == 0;
  Problem problem(std::to_string(rows) + " x " + std::to_string(columns) + (a.per_column ? " by column" : ""), at_end);
  problem.shape(a);
  const auto x = integers<int32_t>(random, rows * columns);
  std::vector<int32_t> multiplier = integers<int32_t>(random, a.per_column ? columns : 1), shift = multiplier;
  for (int32_t& m : multiplier) m = m < 0 ? -1 - m : m;
  // Half of them such that most results are in 0..255.
  const bool sensible = random() % 2 == 0;
  for (size_t i = 0; i < shift.size(); ++i) {
    if (sensible) multiplier[i] |= 1 << 30;
    shift[i] = static_cast<int32_t>(sensible ? between(random, 38, 56) : between(random, 0, 62));
  }
  a.x = problem.input(x);
  a.multiplier = problem.input(multiplier);
  a.shift = problem.input(shift);
  a.y = problem.output(integers<uint8_t>(random, rows * columns));
  problem.arguments(a);
  for (int64_t i = 0; i < rows * columns; ++i) {
    const auto by = static_cast<size_t>(a.per_column ? i % columns : 0);
    const Wide scaled = floor_divide(Wide{x[static_cast<size_t>(i)]} * multiplier[by], Wide{1} << shift[by]);
    problem.expect(a.y, i, scaled < 0 ? 0 : scaled > 255 ? 255 : static_cast<double>(scaled), 0);
  }
  return problem;
}

template <class Arguments, class Number>
Problem maxpool2d(Engine& random, const WindowShape& shape, int64_t channels) {
  Arguments a = {};
  a.windows = windows_of(shape);
  a.channels = channels;
  Problem problem(describe(shape) + ", " + std::to_string(channels) + " channels", random() % 2 == 0);
  problem.shape(a);
  const auto x = integers<Number>(random, pixels(shape.batch, a.windows.input) * channels);
  const int64_t outputs = pixels(shape.batch, a.windows.output) * channels;
  a.x = problem.input(x);
  a.y = problem.output(integers<Number>(random, outputs));
  problem.arguments(a);
  std::vector<Number> largest(static_cast<size_t>(outputs), std::numeric_limits<Number>::min());
  for_each_tap(a.windows, [&](int64_t from, int64_t to, int64_t) {
    for (int64_t c = 0; c < channels; ++c) {
      Number& best = largest[static_cast<size_t>(to * channels + c)];
      best = std::max(best, x[static_cast<size_t>(from * channels + c)]);
    }
  });
  for (int64_t i = 0; i < outputs; ++i) problem.expect(a.y, i, largest[static_cast<size_t>(i)], 0);
  return problem;
}

const WindowShape pools[] = {
    {2, {8, 6}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}, {1, {7, 9}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
    {2, {7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, {3, {5, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    {2, {9, 4}, {3, 2}, {1, 3}, {1, 1}, {0, 1}, {2, 1}}, {1, {10, 11}, {2, 3}, {3, 1}, {2, 2}, {1, 2}, {1, 2}},
    {4, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, {2, {16, 16}, {16, 16}, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
};

WindowShape random_pool(Engine& random) {
  WindowShape w = {};
  w.batch = between(random, 1, 2);
  for (int axis = 0; axis < 2; ++axis) {
    w.kernel[axis] = between(random, 1, 3);
    w.stride[axis] = between(random, 1, 3);
    w.dilation[axis] = 1;
    w.before[axis] = between(random, 0, w.kernel[axis] - 1);
    w.behind[axis] = between(random, 0, w.kernel[axis] - 1);
    w.size[axis] = between(random, w.kernel[axis], 7);
  }
  return w;
}

template <class Arguments, class Number>
void maxpool2d_problems(const Use& use) {
  Engine random(3);
  for (const WindowShape& shape : pools) {
    for (int64_t channels : {1, 3, 7, 13, 16, 33, 64, 70}) {
      Problem problem = maxpool2d<Arguments, Number>(random, shape, channels);
      use(problem);
    }
  }
}

// make(random, count) for all counts, several times: half of the problems are in place, or have strides.
template <Problem (*make)(Engine&, int64_t)>
void for_counts(const Use& use) {
  Engine random(4);
  for (int64_t count : counts) {
    for (int i = 0; i < 4; ++i) {
      Problem problem = make(random, count);
      use(problem);
    }
  }
}

template <Problem (*make)(Engine&, int64_t, int64_t)>
void for_rows(const Use& use) {
  Engine random(5);
  for (int64_t rows : {1, 2, 7, 130}) {
    for (int64_t columns : {1, 3, 8, 10, 16, 17, 33, 127, 128, 300}) {
      Problem problem = make(random, rows, columns);
      use(problem);
    }
  }
  for (int i = 0; i < 4; ++i) {
    Problem problem = make(random, 3, 20000);
    use(problem);
  }
}

#define TEST_COUNTS(row, make)                                                                                \
  void row##_problems(const Use& use) { for_counts<make>(use); }                                              \
  NNRUN_TEST_ROW(row, row##_problems)                                                                         \
  TEST_CASE(#row ", random counts and numbers", "[random]") {                                                 \
    check_random(#row, random_problems, [](Engine& random) { return make(random, between(random, 1, 50)); }); \
  }

#define TEST_ROWS(row, make)                                                                                                         \
  void row##_problems(const Use& use) { for_rows<make>(use); }                                                                       \
  NNRUN_TEST_ROW(row, row##_problems)                                                                                                \
  TEST_CASE(#row ", random shapes and numbers", "[random]") {                                                                        \
    check_random(#row, random_problems, [](Engine& random) { return make(random, between(random, 1, 5), between(random, 1, 40)); }); \
  }

TEST_COUNTS(relu_s32, relu)
TEST_COUNTS(abs_s32, absolute)
TEST_COUNTS(u8_to_s32, u8_to_s32)
TEST_COUNTS(dot_s32, dot)
TEST_COUNTS(f32_to_u8, f32_to_u8)
TEST_ROWS(argmax_s32, argmax)
TEST_ROWS(requantize, requantize)

#define TEST_POOL(row, Number)                                                                                                        \
  void row##_problems(const Use& use) { maxpool2d_problems<nnrun_##row, Number>(use); }                                               \
  NNRUN_TEST_ROW(row, row##_problems)                                                                                                 \
  TEST_CASE(#row ", random shapes and numbers", "[random]") {                                                                         \
    check_random(#row, random_problems,                                                                                               \
                 [](Engine& random) { return maxpool2d<nnrun_##row, Number>(random, random_pool(random), between(random, 1, 20)); }); \
  }

TEST_POOL(maxpool2d_s32, int32_t)
TEST_POOL(maxpool2d_u8, uint8_t)

}  // namespace
