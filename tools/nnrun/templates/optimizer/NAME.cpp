// Steps by the sign of a running average of the gradient: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms"
// (Lion). Make it yours.
#include <nnrun/plugin.hpp>

#include <cmath>

struct @CLASS@ {
  static constexpr auto name = "@NAME@";  // as configs write it
  static constexpr auto doc = "steps by the sign of a running average of the gradient";
  // Floats kept for every weight, by the names that they get in checkpoints; the list ends with nullptr.
  static constexpr const char* const states[] = {"average", nullptr};

  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0;
  nnrun::Schedule schedule{"constant"};

  static constexpr auto params() {
    return nnrun::schema(
        nnrun::param<&@CLASS@::learning_rate>("learning_rate", "size of a step").above(0),
        nnrun::param<&@CLASS@::beta1>("beta1", "share of the average in the sign that a step takes").range(0, 1).below(1),
        nnrun::param<&@CLASS@::beta2>("beta2", "share of the average that a step keeps").range(0, 1).below(1),
        nnrun::param<&@CLASS@::weight_decay>("weight_decay", "share of each weight that a step of size 1 takes off").at_least(0),
        nnrun::param<&@CLASS@::schedule>("schedule", "what the learning rate is multiplied by as training goes on"));
  }

  // Once, before the first step: the place to ask the host for kernels.
  void plan(const nnrun::Host&) {}

  double rate(const nnrun_progress& progress) const { return learning_rate * schedule.factor(progress); }

  // One slice of the weights, on any thread; slices come in any order and size. True when all gradients were finite.
  bool step(const nnrun_step& s) const noexcept {
    const auto rate = static_cast<float>(s.rate);
    const auto keep1 = static_cast<float>(beta1), take1 = static_cast<float>(1 - beta1);
    const auto keep2 = static_cast<float>(beta2), take2 = static_cast<float>(1 - beta2);
    // Weight decay is for weights, not for biases and the like; the layer says which is which.
    const float decay = (s.flags & NNRUN_WEIGHT_DECAY) != 0 ? static_cast<float>(weight_decay) : 0.0f;
    float* average = s.states[0];
    bool finite = true;
    for (std::int64_t i = 0; i < s.count; ++i) {
      const float gradient = s.gradients[i];
      finite = finite && std::isfinite(gradient);
      const float direction = keep1 * average[i] + take1 * gradient;
      const float sign = direction > 0 ? 1.0f : (direction < 0 ? -1.0f : 0.0f);
      s.weights[i] -= rate * (sign + decay * s.weights[i]);
      average[i] = keep2 * average[i] + take2 * gradient;
    }
    return finite;
  }
};

NNRUN_PLUGIN("@NAME@", "0.1.0", @CLASS@)
