// The optimizers' steps for one vector of weights: of a gradient in memory (optimizer_steps.cpp), or in registers (dense_update_f32.cpp).
// Arguments are those of the steps' rows, or nnrun_update. `get` and `put` are the loads and stores to use, so that masked ones run through
// the same lines.
#pragma once

#include <cmath>

#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// What has decayed to nothing becomes 0: denormal numbers would make every later step slower.
inline Floats flush(Floats x) { return where_at_least(x, least_normal); }

// g + decay * w
struct Decay {
  Floats share;
  bool any;

  explicit Decay(float given) : share(all(given)), any(given != 0) {}
  __attribute__((always_inline)) Floats operator()(Floats g, Floats w) const { return any ? fma(share, w, g) : g; }
};

struct SgdRule {
  Floats rate;
  Decay decay;
  FiniteCheck check;

  template <class Arguments>
  explicit SgdRule(const Arguments& a) : rate(all(a.rate)), decay(a.decay) {}

  template <class Get, class Put>
  __attribute__((always_inline)) void operator()(Floats raw, float* weights, float*, float*, Get get, Put put) {
    const Floats w = get(weights);
    check.add(raw);
    put(weights, fma_negated(rate, decay(raw, w), w));
  }
};

struct MomentumRule {
  Floats rate, beta;
  Decay decay;
  bool nesterov;
  FiniteCheck check;

  template <class Arguments>
  MomentumRule(const Arguments& a, float given_beta)
      : rate(all(a.rate)), beta(all(given_beta)), decay(a.decay), nesterov(a.nesterov != 0) {}

  template <class Get, class Put>
  __attribute__((always_inline)) void operator()(Floats raw, float* weights, float* velocity, float*, Get get, Put put) {
    const Floats w = get(weights);
    check.add(raw);
    const Floats g = decay(raw, w);
    const Floats v = flush(fma(beta, get(velocity), g));
    put(velocity, v);
    put(weights, fma_negated(rate, nesterov ? fma(beta, v, g) : v, w));
  }
};

// With the corrections taken out of the root: (rate c1 / sqrt(c2)) m / (sqrt(v) + epsilon / sqrt(c2)).
struct AdamRule {
  Floats rest1, beta2, rest2, rate, epsilon, decoupled_decay;
  Decay decay;
  FiniteCheck check;

  template <class Arguments>
  explicit AdamRule(const Arguments& a)
      : rest1(all(1 - a.beta1)),
        beta2(all(a.beta2)),
        rest2(all(1 - a.beta2)),
        rate(all(a.rate * a.correction1 / std::sqrt(a.correction2))),
        epsilon(all(a.epsilon / std::sqrt(a.correction2))),
        decoupled_decay(all(a.rate * a.decoupled_decay)),
        decay(a.decay) {}

  template <class Get, class Put>
  __attribute__((always_inline)) void operator()(Floats raw, float* weights, float* mean, float* square, Get get, Put put) {
    const Floats w = get(weights);
    check.add(raw);
    const Floats g = decay(raw, w), old = get(mean);
    const Floats m = flush(fma(rest1, subtract(g, old), old));
    const Floats v = flush(fma(beta2, get(square), multiply(multiply(rest2, g), g)));
    put(mean, m);
    put(square, v);
    put(weights, subtract(fma_negated(decoupled_decay, w, w), divide(multiply(rate, m), add(square_root(v), epsilon))));
  }
};

}  // namespace
}  // namespace NNRUN_ISA_NAMESPACE
