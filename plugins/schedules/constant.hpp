#pragma once

#include <nnrun/plugin.hpp>

namespace nnrun::schedules {

struct Constant {
  static constexpr auto name = "constant";
  static constexpr auto doc = "the learning rate stays as it is";

  double factor(const nnrun_progress&) const { return 1.0; }
};

}  // namespace nnrun::schedules
