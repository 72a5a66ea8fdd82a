#pragma once

#include <algorithm>
#include <cmath>
#include <nnrun/plugin.hpp>
#include <numbers>

namespace nnrun::schedules {

// From 1 to 0 along half a cosine.
inline double cosine_fall(double share) { return 0.5 * (1.0 + std::cos(std::numbers::pi * std::clamp(share, 0.0, 1.0))); }

// Loshchilov and Hutter 2017, without restarts: from the full rate at the first step towards `final` of it behind the last.
struct Cosine {
  static constexpr auto name = "cosine";
  static constexpr auto doc = "the learning rate falls along half a cosine over the whole training";

  double final = 0;

  static constexpr auto params() {
    return schema(param<&Cosine::final>("final", "share of the learning rate that is left at the end").range(0, 1));
  }

  double factor(const nnrun_progress& progress) const {
    const std::int64_t steps = std::max<std::int64_t>(progress.steps_per_epoch * progress.epochs, 1);
    return final + (1.0 - final) * cosine_fall(static_cast<double>(progress.step) / static_cast<double>(steps));
  }
};

}  // namespace nnrun::schedules
