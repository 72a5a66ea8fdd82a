#pragma once

#include "slices.hpp"

namespace nnrun::optimizers {

// w -= rate * (g + weight_decay * w)
struct Sgd {
  static constexpr auto name = "sgd";
  static constexpr auto doc = "stochastic gradient descent: w -= rate * gradient";
  static constexpr const char* const states[] = {nullptr};

  double learning_rate = 0.01;
  double weight_decay = 0;
  bool decay_all = false;
  Schedule schedule{"constant"};

  static constexpr auto params() {
    return nnrun::schema(param<&Sgd::learning_rate>("learning_rate", "size of a step").above(0),
                         param<&Sgd::weight_decay>("weight_decay", "L2: this share of each weight is added to its gradient").at_least(0),
                         param<&Sgd::decay_all>("decay_all", decay_all_doc),
                         param<&Sgd::schedule>("schedule", "what the learning rate is multiplied by as training goes on"));
  }

  void plan(const Host& host) { kernel_ = slice_kernel<nnrun_sgd_f32>(host); }

  double rate(const nnrun_progress& progress) const { return learning_rate * schedule.factor(progress); }

  bool step(const nnrun_step& s) const {
    std::uint32_t finite = 1;
    nnrun_sgd_f32 a{};
    a.count = s.count;
    a.w = s.weights;
    a.g = s.gradients;
    a.rate = static_cast<float>(s.rate);
    a.decay = decay_of(s, weight_decay, decay_all);
    a.finite = &finite;
    kernel_.serial(a);
    return finite != 0;
  }

  bool update(const nnrun_step& s, nnrun_update& u) const {
    u.rule = NNRUN_UPDATE_SGD;
    u.rate = static_cast<float>(s.rate);
    u.decay = decay_of(s, weight_decay, decay_all);
    return true;
  }

 private:
  Kernel<nnrun_sgd_f32> kernel_;
};

}  // namespace nnrun::optimizers
