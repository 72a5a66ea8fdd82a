// What the elementwise layers share.
#pragma once

#include "inputs.hpp"
#include "kernel_pair.hpp"

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

    kernels_.plan(p, arguments<nnrun_activation_f32>(p.input().count()), arguments<nnrun_activation_backward_f32>(p.input().count()));
  }

  void forward(const Run& r) const {
    auto a = arguments<nnrun_activation_f32>(r.x().count());
    a.x = r.x().data();
    a.y = r.y().data();
    kernels_(r, a);
  }

  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    auto a = arguments<nnrun_activation_backward_f32>(r.dy().count());
    a.from = from_output_ ? r.y().data() : r.x().data();
    a.dy = r.dy().data();
    a.dx = r.dx().data();
    kernels_(r, a);
  }

 private:
  template <class Arguments>
  Arguments arguments(std::int64_t count) const {
    Arguments a{};
    a.count = count;
    a.function = function_;
    a.alpha = alpha_;
    return a;
  }

  std::uint32_t function_ = 0;
  float alpha_ = 0;
  bool from_output_ = true;
  KernelPair<nnrun_activation_f32, nnrun_activation_backward_f32> kernels_;
};

}  // namespace nnrun::layers
