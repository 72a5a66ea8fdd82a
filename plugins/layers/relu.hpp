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
    input_gradient_ = p.input_gradient();
    scratch_ = bytes == 0 ? -1 : p.scratch(bytes);
  }

  void forward(const Run& r) const { forward_(forward_arguments(r, 0, 1), workspace(r)); }

  void backward(const Run& r) const {
    if (r.input_gradient()) backward_(backward_arguments(r, 0, 1), workspace(r));
  }

  // Each number for itself, so that part of the batch is a smaller batch.
  std::int64_t slices(std::int64_t batch, bool backward) const { return scratch_ < 0 && (!backward || input_gradient_) ? batch : 0; }

  void run_slice(const Run& r, const nnrun_slice& slice) const {
    if (slice.stage != NNRUN_SLICES_EACH) return;
    if (slice.backward == 0) {
      forward_.serial(forward_arguments(r, slice.index, slice.count));
    } else {
      backward_.serial(backward_arguments(r, slice.index, slice.count));
    }
  }

 private:
  void* workspace(const Run& r) const { return scratch_ < 0 ? nullptr : r.scratch<void>(scratch_); }

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

  bool input_gradient_ = false;
  int scratch_ = -1;  // -1: the kernels need none
  Kernel<nnrun_relu_f32> forward_;
  Kernel<nnrun_relu_backward_f32> backward_;
};

}  // namespace nnrun::layers
