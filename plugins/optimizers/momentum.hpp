#pragma once

#include "slices.hpp"

namespace nnrun::optimizers {

// Polyak 1964, in PyTorch's form: v = beta * v + g; w -= rate * v. Nesterov (Sutskever et al. 2013): w -= rate * (g + beta * v).
struct Momentum {
  static constexpr auto name = "momentum";
  static constexpr auto doc = "gradient descent with velocity: v = beta * v + gradient; w -= rate * v";
  static constexpr const char* const states[] = {"velocity", nullptr};

  double learning_rate = 0.01;
  double beta = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
  bool decay_all = false;
  Schedule schedule{"constant"};

  static constexpr auto params() {
    return nnrun::schema(
        param<&Momentum::learning_rate>("learning_rate", "size of a step").above(0),
        param<&Momentum::beta>("beta", "share of the velocity that a step keeps").range(0, 1).below(1),
        param<&Momentum::nesterov>("nesterov", "whether to look one step ahead"),
        param<&Momentum::weight_decay>("weight_decay", "L2: this share of each weight is added to its gradient").at_least(0),
        param<&Momentum::decay_all>("decay_all", decay_all_doc),
        param<&Momentum::schedule>("schedule", "what the learning rate is multiplied by as training goes on"));
  }

  void plan(const Host& host) { kernel_ = slice_kernel<nnrun_momentum_f32>(host); }

  double rate(const nnrun_progress& progress) const { return learning_rate * schedule.factor(progress); }

  bool step(const nnrun_step& s) const {
    std::uint32_t finite = 1;
    nnrun_momentum_f32 a{};
    a.count = s.count;
    a.w = s.weights;
    a.v = s.states[0];
    a.g = s.gradients;
    a.rate = static_cast<float>(s.rate);
    a.beta = static_cast<float>(beta);
    a.decay = decay_of(s, weight_decay, decay_all);
    a.nesterov = nesterov ? 1 : 0;
    a.finite = &finite;
    kernel_.serial(a);
    return finite != 0;
  }

  bool update(const nnrun_step& s, nnrun_update& u) const {
    u.rule = NNRUN_UPDATE_MOMENTUM;
    u.rate = static_cast<float>(s.rate);
    u.beta1 = static_cast<float>(beta);
    u.decay = decay_of(s, weight_decay, decay_all);
    u.nesterov = nesterov ? 1 : 0;
    u.states[0] = s.states[0];
    return true;
  }

 private:
  Kernel<nnrun_momentum_f32> kernel_;
};

}  // namespace nnrun::optimizers
