// What the elementwise layers share.
#pragma once

#include <algorithm>

#include "inputs.hpp"

namespace nnrun::layers {

// y = function(x), any shape, through the kernels activation_f32 and activation_backward_f32.
class Activation {
 public:
  // `from_output`: backward reads y (and the layer may work in place); otherwise x. `operations`: about how many an element.
  void plan(Plan& p, nnrun_activation function, bool from_output, double operations, float alpha = 0) {
    require_f32(p.input());
    function_ = function;
    alpha_ = alpha;
    from_output_ = from_output;
    p.output(p.input());
    p.in_place();
    if (from_output) {
      p.backward_needs_output();
    } else {
      p.backward_needs_input();
    }
    const auto count = static_cast<double>(p.input().count());
    p.cost(operations * count, (operations + 2) * count);

    const nnrun_activation_f32 shape = arguments(p.input().count());
    forward_ = p.kernel(shape);
    std::size_t bytes = forward_.workspace(shape);
    if (p.training()) {
      const nnrun_activation_backward_f32 backward_shape = backward_arguments(p.input().count());
      backward_ = p.kernel(backward_shape);
      bytes = std::max(bytes, backward_.workspace(backward_shape));
    }
    scratch_ = p.scratch(bytes);
  }

  void forward(const Run& r) const {
    nnrun_activation_f32 a = arguments(r.x().count());
    a.x = r.x().data();
    a.y = r.y().data();
    forward_(a, r.scratch<void>(scratch_));
  }

  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    nnrun_activation_backward_f32 a = backward_arguments(r.dy().count());
    a.from = from_output_ ? r.y().data() : r.x().data();
    a.dy = r.dy().data();
    a.dx = r.dx().data();
    backward_(a, r.scratch<void>(scratch_));
  }

 private:
  nnrun_activation_f32 arguments(std::int64_t count) const {
    nnrun_activation_f32 a{};
    a.count = count;
    a.function = function_;
    a.alpha = alpha_;
    return a;
  }

  nnrun_activation_backward_f32 backward_arguments(std::int64_t count) const {
    nnrun_activation_backward_f32 a{};
    a.count = count;
    a.function = function_;
    a.alpha = alpha_;
    return a;
  }

  std::uint32_t function_ = 0;
  float alpha_ = 0;
  bool from_output_ = true;
  int scratch_ = 0;
  Kernel<nnrun_activation_f32> forward_;
  Kernel<nnrun_activation_backward_f32> backward_;
};

}  // namespace nnrun::layers
