#include "kernels.hpp"

namespace nnrun_scalar {

namespace {

// The step over a single weight, as its own row has it.
void step(const nnrun_dense_update_f32& a, int64_t at, float gradient) {
  const nnrun_update& u = a.update;
  switch (u.rule) {
    case NNRUN_UPDATE_SGD: return sgd_f32_run({1, a.weights + at, &gradient, u.rate, u.decay, a.finite}, nullptr, 0, 0);
    case NNRUN_UPDATE_MOMENTUM:
      return momentum_f32_run({1, a.weights + at, u.states[0] + at, &gradient, u.rate, u.beta1, u.decay, u.nesterov, a.finite}, nullptr, 0,
                              0);
    default:
      return adam_f32_run({1, a.weights + at, u.states[0] + at, u.states[1] + at, &gradient, u.rate, u.beta1, u.beta2, u.epsilon,
                           u.correction1, u.correction2, u.decay, u.decoupled_decay, a.finite},
                          nullptr, 0, 0);
  }
}

}  // namespace

void dense_update_f32_work(const nnrun_dense_update_f32&, nnrun_work& work) { one_phase(work, 1); }

void dense_update_f32_run(const nnrun_dense_update_f32& a, void*, uint32_t, int64_t) {
  for (int64_t i = 0; i < a.inputs; ++i) {
    for (int64_t unit = 0; unit < a.units; ++unit) {
      double sum = 0;
      for (int64_t sample = 0; sample < a.batch; ++sample)
        sum += static_cast<double>(a.x[sample * a.ldx + i]) * static_cast<double>(a.dy[sample * a.lddy + unit]);
      step(a, i * a.units + unit, static_cast<float>(sum));
    }
  }
}

}  // namespace nnrun_scalar
