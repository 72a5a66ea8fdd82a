// Initializers that give every element the same value.
#pragma once

#include <algorithm>
#include <nnrun/plugin.hpp>

namespace nnrun::initializers {

inline void fill_all(const Tensor& weight, float value) { std::fill_n(weight.data(), weight.count(), value); }

struct Zeros {
  static constexpr auto name = "zeros";
  static constexpr auto doc = "every element 0";
  void fill(const Tensor& weight, std::int64_t, std::int64_t, const nnrun_random_key&) const { fill_all(weight, 0.0f); }
};

struct Ones {
  static constexpr auto name = "ones";
  static constexpr auto doc = "every element 1";
  void fill(const Tensor& weight, std::int64_t, std::int64_t, const nnrun_random_key&) const { fill_all(weight, 1.0f); }
};

struct Constant {
  static constexpr auto name = "constant";
  static constexpr auto doc = "every element the same given value";
  float value = 0;
  static constexpr auto params() { return schema(param<&Constant::value>("value", "of every element").required()); }
  void fill(const Tensor& weight, std::int64_t, std::int64_t, const nnrun_random_key&) const { fill_all(weight, value); }
};

}  // namespace nnrun::initializers
