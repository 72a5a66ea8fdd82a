#pragma once

#include <cmath>

#include "slices.hpp"

namespace nnrun::optimizers {

// Kingma and Ba 2015, Algorithm 1: what Adam and AdamW share.
class AdamSteps {
 public:
  void plan(const Host& host) { kernel_ = slice_kernel<nnrun_adam_f32>(host); }

  // Comes before the slices of a step: what they share is computed here.
  void begin(const nnrun_progress& progress, double beta1, double beta2) {
    // In double: in float 1 - 0.999^t would lose half of its digits for the first steps. Of the betas as the kernel uses them:
    // in float 1 - 0.999 is off by 1.3e-5, and the correction has to fit that.
    const auto t = static_cast<double>(progress.step + 1);
    beta1_ = static_cast<float>(beta1);
    beta2_ = static_cast<float>(beta2);
    correction1_ = static_cast<float>(1.0 / (1.0 - std::pow(static_cast<double>(beta1_), t)));
    correction2_ = static_cast<float>(1.0 / (1.0 - std::pow(static_cast<double>(beta2_), t)));
  }

  bool step(const nnrun_step& s, double epsilon, float decay, float decoupled_decay) const {
    std::uint32_t finite = 1;
    nnrun_adam_f32 a{};
    a.count = s.count;
    a.w = s.weights;
    a.m = s.states[0];
    a.v = s.states[1];
    a.g = s.gradients;
    set_rule(a, s, epsilon, decay, decoupled_decay);
    a.finite = &finite;
    kernel_.serial(a);
    return finite != 0;
  }

  bool update(const nnrun_step& s, double epsilon, float decay, float decoupled_decay, nnrun_update& u) const {
    u.rule = NNRUN_UPDATE_ADAM;
    set_rule(u, s, epsilon, decay, decoupled_decay);
    u.states[0] = s.states[0];
    u.states[1] = s.states[1];
    return true;
  }

 private:
  template <class Rule>
  void set_rule(Rule& rule, const nnrun_step& s, double epsilon, float decay, float decoupled_decay) const {
    rule.rate = static_cast<float>(s.rate);
    rule.beta1 = beta1_;
    rule.beta2 = beta2_;
    rule.epsilon = static_cast<float>(epsilon);
    rule.correction1 = correction1_;
    rule.correction2 = correction2_;
    rule.decay = decay;
    rule.decoupled_decay = decoupled_decay;
  }

  float beta1_ = 0, beta2_ = 0, correction1_ = 1, correction2_ = 1;
  Kernel<nnrun_adam_f32> kernel_;
};

// Weight decay is L2, inside the gradient.
struct Adam {
  static constexpr auto name = "adam";
  static constexpr auto doc = "steps scaled by running averages of the gradient and of its square";
  static constexpr const char* const states[] = {"m", "v", nullptr};

  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;
  double weight_decay = 0;
  bool decay_all = false;
  Schedule schedule{"constant"};

  static constexpr auto params() {
    return nnrun::schema(param<&Adam::learning_rate>("learning_rate", "size of a step").above(0),
                         param<&Adam::beta1>("beta1", "share of the gradient's average that a step keeps").range(0, 1).below(1),
                         param<&Adam::beta2>("beta2", "share of the squared gradient's average that a step keeps").range(0, 1).below(1),
                         param<&Adam::epsilon>("epsilon", "added to the root of the squared gradient's average").above(0),
                         param<&Adam::weight_decay>("weight_decay", "L2: this share of each weight is added to its gradient").at_least(0),
                         param<&Adam::decay_all>("decay_all", decay_all_doc),
                         param<&Adam::schedule>("schedule", "what the learning rate is multiplied by as training goes on"));
  }

  void plan(const Host& host) { steps_.plan(host); }

  double rate(const nnrun_progress& progress) {
    steps_.begin(progress, beta1, beta2);
    return learning_rate * schedule.factor(progress);
  }

  bool step(const nnrun_step& s) const { return steps_.step(s, epsilon, decay_of(s, weight_decay, decay_all), 0); }
  bool update(const nnrun_step& s, nnrun_update& u) const { return steps_.update(s, epsilon, decay_of(s, weight_decay, decay_all), 0, u); }

 private:
  AdamSteps steps_;
};

}  // namespace nnrun::optimizers
