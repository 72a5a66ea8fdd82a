#include "activations.hpp"
#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr float gelu_cubic = 0.044715f;
constexpr float two_roots = 1.59576912f;  // 2 sqrt(2 / pi): 0.5 (1 + tanh(u)) is sigmoid(2 u)

inline Floats gelu_argument(Floats x, Floats square) { return multiply(multiply(all(two_roots), x), fma(square, all(gelu_cubic), all(1))); }

// from * (1 - from) of a sigmoid
inline Floats logistic_slope(Floats s) { return multiply(s, subtract(all(1), s)); }

template <class Function>
void map(const nnrun_activation_f32& a, Slice s, Function function) {
  int64_t i = s.begin;
  for (; i + lanes <= s.end; i += lanes) store(a.y + i, function(load(a.x + i)));
  const Mask rest = first(s.end - i);
  store(a.y + i, function(load(a.x + i, rest)), rest);
}

template <class Slope>
void map_backward(const nnrun_activation_backward_f32& a, Slice s, Slope slope) {
  int64_t i = s.begin;
  for (; i + lanes <= s.end; i += lanes) store(a.dx + i, multiply(load(a.dy + i), slope(load(a.from + i))));
  const Mask rest = first(s.end - i);
  store(a.dx + i, multiply(load(a.dy + i, rest), slope(load(a.from + i, rest))), rest);
}

}  // namespace

void activation_f32_work(const nnrun_activation_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

void activation_f32_run(const nnrun_activation_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  switch (a.function) {
    case NNRUN_LEAKY_RELU: {
      const Floats alpha = all(a.alpha);
      return map(a, s, [&](Floats x) { return select(greater(x, zero()), x, multiply(x, alpha)); });
    }
    case NNRUN_SIGMOID: return map(a, s, [](Floats x) { return sigmoid(x); });
    case NNRUN_TANH: return map(a, s, [](Floats x) { return hyperbolic_tangent(x); });
    case NNRUN_GELU: return map(a, s, [](Floats x) { return multiply(x, normal_distribution(x, bell(x))); });
    case NNRUN_GELU_TANH: return map(a, s, [](Floats x) { return multiply(x, sigmoid(gelu_argument(x, multiply(x, x)))); });
    default: return map(a, s, [](Floats x) { return multiply(x, sigmoid(x)); });
  }
}

void activation_backward_f32_work(const nnrun_activation_backward_f32& a, nnrun_work& work) { elementwise_work(a.count, work); }

// The clamps keep terms that fall faster than x grows from becoming infinity times 0.
void activation_backward_f32_run(const nnrun_activation_backward_f32& a, void*, uint32_t, int64_t range) {
  const Slice s = elementwise_slice(a.count, range);
  switch (a.function) {
    case NNRUN_LEAKY_RELU: {
      const Floats alpha = all(a.alpha);
      return map_backward(a, s, [&](Floats y) { return select(greater(y, zero()), all(1), alpha); });
    }
    case NNRUN_SIGMOID: return map_backward(a, s, [](Floats y) { return logistic_slope(y); });
    case NNRUN_TANH: return map_backward(a, s, [](Floats y) { return multiply(subtract(all(1), y), add(all(1), y)); });
    case NNRUN_GELU:
      return map_backward(a, s, [](Floats from) {
        const Floats x = clamp(from, 40), b = bell(x);
        return fma(multiply(x, all(0.398942280f)), b, normal_distribution(x, b));
      });
    case NNRUN_GELU_TANH:
      return map_backward(a, s, [](Floats from) {
        const Floats x = clamp(from, 30), square = multiply(x, x), g = sigmoid(gelu_argument(x, square));
        const Floats slope = multiply(multiply(x, all(two_roots)), fma(square, all(3 * gelu_cubic), all(1)));
        return fma(slope, logistic_slope(g), g);
      });
    default:
      return map_backward(a, s, [](Floats from) {
        const Floats x = clamp(from, 100), g = sigmoid(x);
        return fma(x, logistic_slope(g), g);
      });
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
