#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// Calls step(i, mask or nothing) for each vector of 0..count-1. `step` takes the loads and stores to use, so that the tail
// runs through the same lines as the rest.
template <class Step>
inline void for_each_vector(int64_t count, Step step) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    step([i](const float* p) { return load(p + i); }, [i](float* p, Floats x) { store(p + i, x); });
  }
  if (i == count) return;
  const Mask rest = first(count - i);
  step([i, rest](const float* p) { return load(p + i, rest); }, [i, rest](float* p, Floats x) { store(p + i, x, rest); });
}

// What has decayed to nothing becomes 0: denormal numbers would make every later step slower.
inline Floats flush(Floats x) { return where_at_least(x, least_normal); }

}  // namespace

void sgd_f32_work(const nnrun_sgd_f32&, nnrun_work& work) { one_phase(work, 1); }

void sgd_f32_run(const nnrun_sgd_f32& a, void*, uint32_t, int64_t) {
  const Floats rate = all(a.rate), decay = all(a.decay);
  FiniteCheck check;
  for_each_vector(a.count, [&](auto get, auto put) {
    const Floats g = get(a.g), w = get(a.w);
    check.add(g);
    put(a.w, fma_negated(rate, fma(decay, w, g), w));
  });
  if (!check.all_finite()) *a.finite = 0;
}

void momentum_f32_work(const nnrun_momentum_f32&, nnrun_work& work) { one_phase(work, 1); }

void momentum_f32_run(const nnrun_momentum_f32& a, void*, uint32_t, int64_t) {
  const Floats rate = all(a.rate), decay = all(a.decay), beta = all(a.beta);
  FiniteCheck check;
  for_each_vector(a.count, [&](auto get, auto put) {
    const Floats raw = get(a.g), w = get(a.w);
    check.add(raw);
    const Floats g = fma(decay, w, raw);
    const Floats v = flush(fma(beta, get(a.v), g));
    put(a.v, v);
    put(a.w, fma_negated(rate, a.nesterov ? fma(beta, v, g) : v, w));
  });
  if (!check.all_finite()) *a.finite = 0;
}

void adam_f32_work(const nnrun_adam_f32&, nnrun_work& work) { one_phase(work, 1); }

void adam_f32_run(const nnrun_adam_f32& a, void*, uint32_t, int64_t) {
  const Floats beta1 = all(a.beta1), rest1 = all(1 - a.beta1), beta2 = all(a.beta2), rest2 = all(1 - a.beta2);
  const Floats rate = all(a.rate * a.correction1), correction2 = all(a.correction2), epsilon = all(a.epsilon);
  const Floats decay = all(a.decay), decoupled_decay = all(a.rate * a.decoupled_decay);
  FiniteCheck check;
  for_each_vector(a.count, [&](auto get, auto put) {
    const Floats raw = get(a.g), w = get(a.w);
    check.add(raw);
    const Floats g = fma(decay, w, raw);
    const Floats m = flush(fma(beta1, get(a.m), multiply(rest1, g)));
    const Floats v = flush(fma(beta2, get(a.v), multiply(multiply(rest2, g), g)));
    put(a.m, m);
    put(a.v, v);
    const Floats denominator = add(square_root(multiply(v, correction2)), epsilon);
    put(a.w, subtract(fma_negated(decoupled_decay, w, w), divide(multiply(rate, m), denominator)));
  });
  if (!check.all_finite()) *a.finite = 0;
}

}  // namespace NNRUN_ISA_NAMESPACE
