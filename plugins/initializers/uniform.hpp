// Uniform in [-limit, limit): element t, row-major, is (2 u_t - 1) * limit in float, u_t number t of the key's sequence.
#pragma once

#include <algorithm>
#include <cmath>
#include <nnrun/plugin.hpp>

namespace nnrun::initializers {

// 6 / fan, rooted in double, rounded once.
inline float uniform_limit(std::int64_t fan) {
  return static_cast<float>(std::sqrt(6.0 / static_cast<double>(std::max<std::int64_t>(fan, 1))));
}

inline void fill_uniform(const Tensor& weight, float limit, const nnrun_random_key& key) {
  Random random(key);
  for (float& element : weight.span()) element = (2.0f * random.next_uniform() - 1.0f) * limit;
}

// He et al. 2015: keeps the variance through layers that relu follows.
struct HeUniform {
  static constexpr auto name = "he_uniform";
  static constexpr auto doc = "uniform in +-sqrt(6 / inputs): for layers that relu follows";

  std::string generator = "philox";

  static constexpr const char* const generators[] = {"philox", "lcg", nullptr};
  static constexpr auto params() {
    return schema(
        param<&HeUniform::generator>("generator", "of the random numbers; lcg is for comparing with small C programs").choices(generators));
  }

  void fill(const Tensor& weight, std::int64_t fan_in, std::int64_t, const nnrun_random_key& key) const {
    const float limit = uniform_limit(fan_in);
    if (generator == "philox") {
      fill_uniform(weight, limit, key);
      return;
    }
    // Linear congruential, with the constants of Numerical Recipes; the key's first number is the seed.
    std::uint32_t state = Random(key).word(0);
    for (float& element : weight.span()) {
      state = state * 1664525u + 1013904223u;
      element = (2.0f * Random::to_uniform(state) - 1.0f) * limit;
    }
  }
};

// Glorot and Bengio 2010: keeps the variance forward and backward through layers that are near linear.
struct GlorotUniform {
  static constexpr auto name = "glorot_uniform";
  static constexpr auto doc = "uniform in +-sqrt(6 / (inputs + outputs)): for layers without relu";

  void fill(const Tensor& weight, std::int64_t fan_in, std::int64_t fan_out, const nnrun_random_key& key) const {
    fill_uniform(weight, uniform_limit(fan_in + fan_out), key);
  }
};

}  // namespace nnrun::initializers
