#pragma once

#include "adam.hpp"

namespace nnrun::optimizers {

// Loshchilov and Hutter 2019: Adam whose weight decay stays out of the gradient's averages: w -= rate * weight_decay * w before each
// step. The rate is the scheduled one, as in PyTorch.
struct Adamw {
  static constexpr auto name = "adamw";
  static constexpr auto doc = "Adam with decoupled weight decay: weights shrink by rate * weight_decay, whatever their gradients";
  static constexpr const char* const states[] = {"m", "v", nullptr};

  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  bool decay_all = false;
  Schedule schedule{"constant"};

  static constexpr auto params() {
    return nnrun::schema(
        param<&Adamw::learning_rate>("learning_rate", "size of a step").above(0),
        param<&Adamw::beta1>("beta1", "share of the gradient's average that a step keeps").range(0, 1).below(1),
        param<&Adamw::beta2>("beta2", "share of the squared gradient's average that a step keeps").range(0, 1).below(1),
        param<&Adamw::epsilon>("epsilon", "added to the root of the squared gradient's average").above(0),
        param<&Adamw::weight_decay>("weight_decay", "a step takes this share of each weight, times the learning rate, off it").at_least(0),
        param<&Adamw::decay_all>("decay_all", decay_all_doc),
        param<&Adamw::schedule>("schedule", "what the learning rate is multiplied by as training goes on"));
  }

  void plan(const Host& host) { steps_.plan(host); }

  double rate(const nnrun_progress& progress) {
    steps_.begin(progress, beta1, beta2);
    return learning_rate * schedule.factor(progress);
  }

  bool step(const nnrun_step& s) const { return steps_.step(s, epsilon, 0, decay_of(s, weight_decay, decay_all)); }
  bool update(const nnrun_step& s, nnrun_update& u) const { return steps_.update(s, epsilon, 0, decay_of(s, weight_decay, decay_all), u); }

 private:
  AdamSteps steps_;
};

}  // namespace nnrun::optimizers
