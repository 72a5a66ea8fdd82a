#include "kernels.hpp"

#include <cmath>

namespace nnrun_scalar {

namespace {

// What has decayed to nothing becomes 0: denormal numbers would make every later step slower.
float flush(float x) { return std::abs(x) < least_normal ? 0.0f : x; }

}  // namespace

void sgd_f32_work(const nnrun_sgd_f32&, nnrun_work& work) { one_phase(work, 1); }

void sgd_f32_run(const nnrun_sgd_f32& a, void*, uint32_t, int64_t) {
  for (int64_t i = 0; i < a.count; ++i) {
    if (!std::isfinite(a.g[i])) *a.finite = 0;
    a.w[i] -= a.rate * (a.g[i] + a.decay * a.w[i]);
  }
}

void momentum_f32_work(const nnrun_momentum_f32&, nnrun_work& work) { one_phase(work, 1); }

void momentum_f32_run(const nnrun_momentum_f32& a, void*, uint32_t, int64_t) {
  for (int64_t i = 0; i < a.count; ++i) {
    if (!std::isfinite(a.g[i])) *a.finite = 0;
    const float g = a.g[i] + a.decay * a.w[i];
    a.v[i] = flush(a.beta * a.v[i] + g);
    a.w[i] -= a.rate * (a.nesterov ? g + a.beta * a.v[i] : a.v[i]);
  }
}

void adam_f32_work(const nnrun_adam_f32&, nnrun_work& work) { one_phase(work, 1); }

void adam_f32_run(const nnrun_adam_f32& a, void*, uint32_t, int64_t) {
  for (int64_t i = 0; i < a.count; ++i) {
    if (!std::isfinite(a.g[i])) *a.finite = 0;
    const float g = a.g[i] + a.decay * a.w[i];
    a.m[i] = flush(a.beta1 * a.m[i] + (1 - a.beta1) * g);
    a.v[i] = flush(a.beta2 * a.v[i] + (1 - a.beta2) * g * g);
    const float w = a.w[i] - a.rate * a.decoupled_decay * a.w[i];
    a.w[i] = w - a.rate * (a.m[i] * a.correction1) / (std::sqrt(a.v[i] * a.correction2) + a.epsilon);
  }
}

}  // namespace nnrun_scalar
