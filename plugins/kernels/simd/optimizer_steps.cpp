#include "optimizer_rules.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

template <class Rule>
inline void step(Rule rule, int64_t count, float* w, float* first_state, float* second_state, const float* g, uint32_t* finite) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    rule(
        load(g + i), w + i, first_state + i, second_state + i, [](const float* p) { return load(p); },
        [](float* p, Floats x) { store(p, x); });
  }
  if (i < count) {
    const Mask rest = first(count - i);
    rule(
        load(g + i, rest), w + i, first_state + i, second_state + i, [rest](const float* p) { return load(p, rest); },
        [rest](float* p, Floats x) { store(p, x, rest); });
  }
  if (!rule.check.all_finite()) *finite = 0;
}

}  // namespace

void sgd_f32_work(const nnrun_sgd_f32&, nnrun_work& work) { one_phase(work, 1); }

void sgd_f32_run(const nnrun_sgd_f32& a, void*, uint32_t, int64_t) { step(SgdRule(a), a.count, a.w, a.w, a.w, a.g, a.finite); }

void momentum_f32_work(const nnrun_momentum_f32&, nnrun_work& work) { one_phase(work, 1); }

void momentum_f32_run(const nnrun_momentum_f32& a, void*, uint32_t, int64_t) {
  step(MomentumRule(a, a.beta), a.count, a.w, a.v, a.v, a.g, a.finite);
}

void adam_f32_work(const nnrun_adam_f32&, nnrun_work& work) { one_phase(work, 1); }

void adam_f32_run(const nnrun_adam_f32& a, void*, uint32_t, int64_t) { step(AdamRule(a), a.count, a.w, a.m, a.v, a.g, a.finite); }

}  // namespace NNRUN_ISA_NAMESPACE
