#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "harness.hpp"

namespace {

constexpr int64_t counts[] = {1, 7, 13, 16, 17, 64, 127, 128, 16384, 16385, 40000};

// Every tenth is a special value.
std::vector<float> values(int64_t count, uint32_t seed) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {
      0.0f, -0.0f, infinity, -infinity, std::nanf(""), std::numeric_limits<float>::denorm_min(), -std::numeric_limits<float>::denorm_min()};
  std::vector<float> x = Random(seed).floats(count);
  for (size_t i = 0; i < x.size(); i += 10) x[i] = special[i / 10 % std::size(special)];
  return x;
}

void relu_problems(const Use& use) {
  for (int64_t count : counts) {
    for (bool at_end : {false, true}) {
      for (bool in_place : {false, true}) {
        Problem problem(std::to_string(count) + (in_place ? " in place" : ""), at_end);
        nnrun_relu_f32 a = {};
        a.count = count;
        problem.shape(a);
        const std::vector<float> x = values(count, 1);
        a.y = problem.output(in_place ? x : Random(2).floats(count));
        a.x = in_place ? a.y : problem.input(x);
        problem.arguments(a);
        for (size_t i = 0; i < x.size(); ++i) problem.expect(a.y, static_cast<int64_t>(i), static_cast<double>(x[i] < 0 ? 0.0f : x[i]), 0);
        use(problem);
      }
    }
  }
}

void relu_backward_problems(const Use& use) {
  for (int64_t count : counts) {
    for (bool at_end : {false, true}) {
      for (bool in_place : {false, true}) {
        Problem problem(std::to_string(count) + (in_place ? " in place" : ""), at_end);
        nnrun_relu_backward_f32 a = {};
        a.count = count;
        problem.shape(a);
        const std::vector<float> y = values(count, 3);
        std::vector<float> dy = values(count, 4);
        std::rotate(dy.begin(), dy.begin() + count / 2, dy.end());  // or the special values of both would meet
        a.y = problem.input(y);
        a.dx = problem.output(in_place ? dy : Random(5).floats(count));
        a.dy = in_place ? a.dx : problem.input(dy);
        problem.arguments(a);
        for (size_t i = 0; i < y.size(); ++i) problem.expect(a.dx, static_cast<int64_t>(i), y[i] > 0 ? static_cast<double>(dy[i]) : 0, 0);
        use(problem);
      }
    }
  }
}

NNRUN_TEST_ROW(relu_f32, relu_problems)
NNRUN_TEST_ROW(relu_backward_f32, relu_backward_problems)

}  // namespace
