#pragma once

#include <nnrun/plugin.hpp>

namespace nnrun::schedules {

// Goyal et al. 2017: for the first W steps the rate of `then` is multiplied by (step + 1) / W, or by start + (1 - start) (step + 1) / W.
// `then` counts steps and epochs from the start of training, as if there were no warm-up.
struct WarmUp {
  static constexpr auto name = "warm_up";
  static constexpr auto doc = "the learning rate rises linearly at first, then follows another schedule";

  std::int64_t steps = 0;
  double epochs = 0;
  double share = 0;
  double start = 0;
  Schedule then{"constant"};

  static constexpr auto params() {
    return schema(param<&WarmUp::steps>("steps", "how long the rate rises, in steps; where no length is given, a twentieth of the training")
                      .at_least(0),
                  param<&WarmUp::epochs>("epochs", "or in epochs, eg 0.5").at_least(0),
                  param<&WarmUp::share>("share", "or as a share of the whole training").range(0, 1),
                  param<&WarmUp::start>("start", "share of the learning rate to rise from").range(0, 1),
                  param<&WarmUp::then>("then", "the schedule that is warmed up; it counts from the start of training"));
  }

  void create(const Host&) {
    const int given = (steps > 0 ? 1 : 0) + (epochs > 0 ? 1 : 0) + (share > 0 ? 1 : 0);
    if (given > 1) throw Error("has several lengths: give one of `steps`, `epochs` and `share`").at(share > 0 ? "share" : "epochs");
    if (given == 0) share = 0.05;
  }

  double factor(const nnrun_progress& progress) const {
    const auto steps_per_epoch = static_cast<double>(progress.steps_per_epoch);
    const double length = steps > 0    ? static_cast<double>(steps)
                          : epochs > 0 ? epochs * steps_per_epoch
                                       : share * steps_per_epoch * static_cast<double>(progress.epochs);
    const double done = (static_cast<double>(progress.step) + 1.0) / length;
    return (done < 1.0 ? start + (1.0 - start) * done : 1.0) * then.factor(progress);
  }
};

}  // namespace nnrun::schedules
