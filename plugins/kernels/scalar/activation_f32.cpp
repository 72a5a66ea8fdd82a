#include "kernels.hpp"

#include <cmath>
#include <numbers>

namespace nnrun_scalar {
namespace {

double sigmoid(double x) {
  const double e = std::exp(-std::fabs(x));  // never overflows
  return (x > 0 ? 1 : e) / (1 + e);
}

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

constexpr double gelu_cubic = 0.044715;
constexpr double two_roots = 1.5957691216057308;  // 2 sqrt(2 / pi): 0.5 (1 + tanh(u)) is sigmoid(2 u)

double function_of(uint32_t function, double alpha, double x) {
  switch (function) {
    case NNRUN_LEAKY_RELU: return x > 0 ? x : x * alpha;
    case NNRUN_SIGMOID: return sigmoid(x);
    case NNRUN_TANH: return std::tanh(x);
    case NNRUN_GELU: return x * normal_distribution(x);
    case NNRUN_GELU_TANH: return x * sigmoid(two_roots * (x + gelu_cubic * x * x * x));
    default: return x * sigmoid(x);
  }
}

// A NaN stays one.
double clamped(double x, double bound) { return x < -bound ? -bound : x > bound ? bound : x; }

// Where x is infinite, the terms that fall faster than x grows must not become NaN: they are 0 long before.
double slope_of(uint32_t function, double alpha, double from) {
  switch (function) {
    case NNRUN_LEAKY_RELU: return from > 0 ? 1 : alpha;
    case NNRUN_SIGMOID: return from * (1 - from);
    case NNRUN_TANH: return (1 - from) * (1 + from);
    case NNRUN_GELU: {
      const double x = clamped(from, 40);
      return normal_distribution(x) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
    }
    case NNRUN_GELU_TANH: {
      const double x = clamped(from, 30);
      const double s = sigmoid(two_roots * (x + gelu_cubic * x * x * x));
      return s + x * s * (1 - s) * two_roots * (1 + 3 * gelu_cubic * x * x);
    }
    default: {
      const double x = clamped(from, 100);
      const double s = sigmoid(x);
      return s + x * s * (1 - s);
    }
  }
}

}  // namespace

void activation_f32_work(const nnrun_activation_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void activation_f32_run(const nnrun_activation_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  const double alpha = static_cast<double>(a.alpha);
  for (int64_t i = s.begin; i < s.end; ++i) a.y[i] = static_cast<float>(function_of(a.function, alpha, static_cast<double>(a.x[i])));
}

void activation_backward_f32_work(const nnrun_activation_backward_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void activation_backward_f32_run(const nnrun_activation_backward_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  const double alpha = static_cast<double>(a.alpha);
  for (int64_t i = s.begin; i < s.end; ++i) {
    a.dx[i] = static_cast<float>(static_cast<double>(a.dy[i]) * slope_of(a.function, alpha, static_cast<double>(a.from[i])));
  }
}

}  // namespace nnrun_scalar
