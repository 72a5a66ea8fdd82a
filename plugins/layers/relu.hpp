#pragma once

#include "inputs.hpp"
#include "kernel_pair.hpp"

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
    nnrun_relu_backward_f32 backward_shape{};
    shape.count = backward_shape.count = p.input().count();
    kernels_.plan(p, shape, backward_shape);
  }

  void forward(const Run& r) const { kernels_(r, forward_arguments(r, 0, 1)); }

  void backward(const Run& r) const {
    if (r.input_gradient()) kernels_(r, backward_arguments(r, 0, 1));
  }

  std::int64_t slices(std::int64_t batch, bool backward) const { return kernels_.slices(batch, backward); }

  void run_slice(const Run& r, const nnrun_slice& slice) const {
    if (slice.stage != NNRUN_SLICES_EACH) return;
    if (slice.backward == 0) {
      kernels_.slice(forward_arguments(r, slice.index, slice.count));
    } else {
      kernels_.slice(backward_arguments(r, slice.index, slice.count));
    }
  }

 private:
  // Part `index` of `parts`.
  static nnrun_relu_f32 forward_arguments(const Run& r, std::int64_t index, std::int64_t parts) {
    nnrun_relu_f32 a{};
    a.count = r.x().count() / parts;
    a.x = r.x().data() + index * a.count;
    a.y = r.y().data() + index * a.count;
    return a;
  }
  static nnrun_relu_backward_f32 backward_arguments(const Run& r, std::int64_t index, std::int64_t parts) {
    nnrun_relu_backward_f32 a{};
    a.count = r.y().count() / parts;
    a.y = r.y().data() + index * a.count;
    a.dy = r.dy().data() + index * a.count;
    a.dx = r.dx().data() + index * a.count;
    return a;
  }

  KernelPair<nnrun_relu_f32, nnrun_relu_backward_f32> kernels_;
};

}  // namespace nnrun::layers
