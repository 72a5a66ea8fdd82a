#pragma once

#include <cmath>
#include <nnrun/plugin.hpp>

namespace nnrun::schedules {

// factor^epoch, epochs counted from 0; or factor^step.
struct Exponential {
  static constexpr auto name = "exponential";
  static constexpr auto doc = "the learning rate is multiplied by a factor after each epoch or step";

  double base = 1;
  std::string per = "epoch";

  static constexpr const char* const units[] = {"epoch", "step", nullptr};
  static constexpr auto params() {
    return schema(param<&Exponential::base>("factor", "what the rate is multiplied by each time").required().range(0, 1).above(0),
                  param<&Exponential::per>("per", "how often: after each epoch, or each step").choices(units));
  }

  double factor(const nnrun_progress& progress) const {
    return std::pow(base, static_cast<double>(per == "epoch" ? progress.epoch : progress.step));
  }
};

}  // namespace nnrun::schedules
