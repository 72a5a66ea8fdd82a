#pragma once

#include <algorithm>

#include "inputs.hpp"

namespace nnrun::layers {

// y = max(x, 0); any shape.
struct Relu {
  static constexpr auto name = "relu";
  static constexpr auto doc = "rectifier: y = max(x, 0)";
  static constexpr std::uint32_t trait = NNRUN_TRAIT_RELU;

  void plan(Plan& p) {
    require_f32(p.input());
    p.output(p.input());
    p.in_place();
    p.backward_needs_output();
    const auto count = static_cast<double>(p.input().count());
    p.cost(count, count);

    nnrun_relu_f32 shape{};
    shape.count = p.input().count();
    forward_ = p.kernel(shape);
    std::size_t bytes = forward_.workspace(shape);
    if (p.training()) {
      nnrun_relu_backward_f32 backward_shape{};
      backward_shape.count = shape.count;
      backward_ = p.kernel(backward_shape);
      bytes = std::max(bytes, backward_.workspace(backward_shape));
    }
    scratch_ = p.scratch(bytes);
  }

  void forward(const Run& r) const {
    nnrun_relu_f32 a{};
    a.count = r.x().count();
    a.x = r.x().data();
    a.y = r.y().data();
    forward_(a, r.scratch<void>(scratch_));
  }

  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    nnrun_relu_backward_f32 a{};
    a.count = r.y().count();
    a.y = r.y().data();
    a.dy = r.dy().data();
    a.dx = r.dx().data();
    backward_(a, r.scratch<void>(scratch_));
  }

 private:
  int scratch_ = 0;
  Kernel<nnrun_relu_f32> forward_;
  Kernel<nnrun_relu_backward_f32> backward_;
};

}  // namespace nnrun::layers
