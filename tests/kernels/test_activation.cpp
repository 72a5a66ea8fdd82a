#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "harness.hpp"

namespace {

constexpr int64_t counts[] = {1, 7, 13, 16, 17, 127, 128, 16384, 16385, 40000};

struct Function {
  uint32_t id;
  const char* name;
  float alpha;
};
constexpr Function functions[] = {{NNRUN_LEAKY_RELU, "leaky_relu", 0.1f},
                                  {NNRUN_LEAKY_RELU, "leaky_relu of slope 0", 0},
                                  {NNRUN_SIGMOID, "sigmoid", 0},
                                  {NNRUN_TANH, "tanh", 0},
                                  {NNRUN_GELU, "gelu", 0},
                                  {NNRUN_GELU_TANH, "gelu by tanh", 0},
                                  {NNRUN_SILU, "silu", 0}};

// From the flat middle to far out, where exponentials underflow; every tenth is a special value.
std::vector<float> values(int64_t count, uint32_t seed) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {0.0f,   -0.0f, infinity, -infinity, std::nanf(""), 1e-30f, -1e-30f, 88.5f,
                           -88.5f, 0.7f,  -0.7f,    104.0f,    -104.0f,       1e30f,  -1e30f};
  std::vector<float> x = Random(seed).floats(count);
  for (size_t i = 0; i < x.size(); ++i) x[i] *= std::ldexp(1.0f, static_cast<int>(i % 8) - 3);
  for (size_t i = 0; i < x.size(); i += 10) x[i] = special[i / 10 % std::size(special)];
  return x;
}

double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
double phi(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double Phi(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }
double gelu_argument(double x) { return 2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x); }

struct Expected {
  double value, magnitude;
};

// exp's argument is rounded to float, so its magnitude counts as well, where the result depends on it at all: in the tails of x < 0.
// What is below the smallest normal number may be off by one of them.
constexpr double least = 0x1p-126 * 0x1p20;
double weight(double argument) { return 1 + std::min(std::fabs(argument), 200.0); }

Expected expected_of(const Function& f, double x) {
  const double alpha = static_cast<double>(f.alpha);
  switch (f.id) {
    case NNRUN_LEAKY_RELU: return {x > 0 ? x : alpha * x, std::fabs(x)};
    case NNRUN_SIGMOID: return {sigmoid(x), sigmoid(x) + least};
    case NNRUN_TANH: return {std::tanh(x), std::fabs(std::tanh(x))};
    case NNRUN_GELU: return {x * Phi(x), std::fabs(x) * Phi(x) * weight(std::min(x, 0.0) * x / 2) + least};
    case NNRUN_GELU_TANH: {
      const double s = sigmoid(gelu_argument(x));
      return {x * s, std::fabs(x) * s * weight(std::min(gelu_argument(x), 0.0)) + least};
    }
    default: return {x * sigmoid(x), std::fabs(x) * (sigmoid(x) + least)};
  }
}

// `from` as the row wants it: x, or y. Derivatives at the infinities are their limits.
Expected slope_of(const Function& f, double from) {
  const double alpha = static_cast<double>(f.alpha);
  switch (f.id) {
    case NNRUN_LEAKY_RELU: return {from > 0 ? 1 : alpha, from > 0 ? 1 : alpha};
    case NNRUN_SIGMOID: return {from * (1 - from), std::fabs(from) * (1 + std::fabs(from))};
    case NNRUN_TANH: return {1 - from * from, 1 + from * from};
    default: break;
  }
  if (std::isinf(from)) return {from > 0 ? 1.0 : 0.0, 1};
  switch (f.id) {
    case NNRUN_GELU: return {Phi(from) + from * phi(from), Phi(from) + std::fabs(from) * phi(from) * weight(from * from / 2) + least};
    case NNRUN_GELU_TANH: {
      const double u = gelu_argument(from), s = sigmoid(u), slope = gelu_argument(1) / 1.044715 * from * (1 + 3 * 0.044715 * from * from);
      const double product = s * (1 - s) == 0 ? 0 : slope * s * (1 - s);
      return {s + product, s * weight(std::min(u, 0.0)) + (s * (1 - s) == 0 ? 0 : std::fabs(slope) * s * weight(u)) + least};
    }
    default: {
      const double s = sigmoid(from);
      return {s + from * s * (1 - s), s + std::fabs(from) * s + least};
    }
  }
}

void activation_problems(const Use& use) {
  for (const Function& f : functions) {
    for (int64_t count : counts) {
      for (bool at_end : {false, true}) {
        const bool in_place = (count + f.id) % 2 == 0;
        Problem problem(std::string(f.name) + " of " + std::to_string(count) + (in_place ? " in place" : ""), at_end);
        nnrun_activation_f32 a = {};
        a.count = count;
        a.function = f.id;
        a.alpha = f.alpha;
        problem.shape(a);
        const std::vector<float> x = values(count, 1);
        a.y = problem.output(in_place ? x : Random(2).floats(count));
        a.x = in_place ? a.y : problem.input(x);
        problem.arguments(a);
        for (size_t i = 0; i < x.size(); ++i) {
          const Expected e = expected_of(f, static_cast<double>(x[i]));
          problem.expect(a.y, static_cast<int64_t>(i), e.value, e.magnitude);
        }
        use(problem);
      }
    }
  }
}

void activation_backward_problems(const Use& use) {
  for (const Function& f : functions) {
    for (int64_t count : counts) {
      for (bool at_end : {false, true}) {
        const bool in_place = (count + f.id) % 2 == 0;
        Problem problem(std::string(f.name) + " of " + std::to_string(count) + (in_place ? " in place" : ""), at_end);
        nnrun_activation_backward_f32 a = {};
        a.count = count;
        a.function = f.id;
        a.alpha = f.alpha;
        problem.shape(a);
        std::vector<float> from = values(count, 3);
        if (f.id == NNRUN_SIGMOID || f.id == NNRUN_TANH) {
          for (float& y : from)
            y = static_cast<float>(f.id == NNRUN_TANH ? std::tanh(static_cast<double>(y)) : sigmoid(static_cast<double>(y)));
        }
        const std::vector<float> dy = Random(4).floats(count);
        a.from = problem.input(from);
        a.dx = problem.output(in_place ? dy : Random(5).floats(count));
        a.dy = in_place ? a.dx : problem.input(dy);
        problem.arguments(a);
        for (size_t i = 0; i < from.size(); ++i) {
          const Expected e = slope_of(f, static_cast<double>(from[i]));
          const double d = static_cast<double>(dy[i]);
          problem.expect(a.dx, static_cast<int64_t>(i), d * e.value, std::fabs(d) * e.magnitude);
        }
        use(problem);
      }
    }
  }
}

NNRUN_TEST_ROW(activation_f32, activation_problems)
NNRUN_TEST_ROW(activation_backward_f32, activation_backward_problems)

}  // namespace
