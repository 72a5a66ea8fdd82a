#pragma once

#include "cosine.hpp"

namespace nnrun::schedules {

// Smith and Topin 2018, annealed along cosines like PyTorch's OneCycleLR: up from `start` to the full rate at step
// warm_up * steps - 1, then down to `final` at the last step.
struct OneCycle {
  static constexpr auto name = "one_cycle";
  static constexpr auto doc = "the learning rate rises to its peak, then falls to almost nothing, along cosines";

  double warm_up = 0.3;
  double start = 0.04;
  double final = 0.0001;

  static constexpr auto params() {
    return schema(param<&OneCycle::warm_up>("warm_up", "share of the steps on which the rate rises").range(0, 1).below(1),
                  param<&OneCycle::start>("start", "share of the learning rate to start from").range(0, 1),
                  param<&OneCycle::final>("final", "share of the learning rate that is left at the last step").range(0, 1));
  }

  double factor(const nnrun_progress& progress) const {
    const auto steps = static_cast<double>(progress.steps_per_epoch * progress.epochs);
    const auto step = static_cast<double>(progress.step);
    const double peak = warm_up * steps - 1.0;
    const double last = steps - 1.0;
    if (step < peak) return 1.0 + (start - 1.0) * cosine_fall(step / peak);
    if (step <= peak || last <= peak) return 1.0;
    return final + (1.0 - final) * cosine_fall((step - peak) / (last - peak));
  }
};

}  // namespace nnrun::schedules
