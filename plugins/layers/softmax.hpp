#pragma once

#include <algorithm>

#include "inputs.hpp"

namespace nnrun::layers {

// y = exp(x) / sum(exp(x)) over the last dimension. As the last layer under a cross-entropy loss it is one too many: those
// losses take logits.
struct Softmax {
  static constexpr auto name = "softmax";
  static constexpr auto doc = "turns each row (the last dimension) into probabilities";

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_f32(input);
    columns_ = input.dim(input.rank() - 1);
    p.output(input);
    p.in_place();
    p.backward_needs_output();
    const auto count = static_cast<double>(input.count());
    p.cost(5 * count, 4 * count);
    const nnrun_softmax_f32 shape = arguments(input);
    forward_ = p.kernel(shape);
    scratch_ = p.scratch(forward_.workspace(shape));
  }

  void forward(const Run& r) const {
    nnrun_softmax_f32 a = arguments(r.x());
    a.x = r.x().data();
    a.y = r.y().data();
    forward_(a, r.scratch<void>(scratch_));
  }

  // dx = y * (dy - sum(dy * y)); the sum over the row.
  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    const float* y = r.y().data();
    const float* dy = r.dy().data();
    float* dx = r.dx().data();
    const std::int64_t rows = r.y().count() / columns_;
    r.host().parallel_elements(
        rows,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin * columns_; at < end * columns_; at += columns_) {
            float sum = 0;
            for (std::int64_t j = 0; j < columns_; ++j) sum += dy[at + j] * y[at + j];
            for (std::int64_t j = 0; j < columns_; ++j) dx[at + j] = y[at + j] * (dy[at + j] - sum);
          }
        },
        std::max<std::int64_t>(1, 16384 / columns_));
  }

 private:
  nnrun_softmax_f32 arguments(const Tensor& tensor) const {
    nnrun_softmax_f32 a{};
    a.rows = tensor.count() / columns_;
    a.columns = columns_;
    return a;
  }

  std::int64_t columns_ = 1;
  int scratch_ = 0;
  Kernel<nnrun_softmax_f32> forward_;
};

}  // namespace nnrun::layers
