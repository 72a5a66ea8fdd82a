#pragma once

#include <cmath>
#include <nnrun/plugin.hpp>

namespace nnrun::schedules {

// factor^(epoch / every), a whole division.
struct Step {
  static constexpr auto name = "step";
  static constexpr auto doc = "the learning rate is multiplied by a factor every few epochs";

  std::int64_t every = 10;
  double base = 0.1;

  static constexpr auto params() {
    return schema(param<&Step::every>("every", "epochs between two changes").at_least(1),
                  param<&Step::base>("factor", "what the rate is multiplied by each time").range(0, 1).above(0));
  }

  double factor(const nnrun_progress& progress) const { return std::pow(base, static_cast<double>(progress.epoch / every)); }
};

}  // namespace nnrun::schedules
