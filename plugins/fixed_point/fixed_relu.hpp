#pragma once

#include "arithmetic.hpp"

namespace nnrun::fixed_point {

// y = max(x, 0); any shape of s32.
struct FixedRelu {
  static constexpr auto name = "fixed_relu";
  static constexpr auto doc = "rectifier of integers: y = max(x, 0)";

  void plan(Plan& p) {
    require_dtype(p.input(), NNRUN_S32);
    p.output(p.input());
    p.in_place();
    nnrun_relu_s32 shape{};
    shape.count = p.input().count();
    kernel_ = p.kernel(shape);
  }

  void forward(const Run& r) const {
    nnrun_relu_s32 a{};
    a.count = r.x().count();
    a.x = r.x().data<const std::int32_t>();
    a.y = r.y().data<std::int32_t>();
    kernel_(a);
  }

 private:
  Kernel<nnrun_relu_s32> kernel_;
};

}  // namespace nnrun::fixed_point
