#pragma once

#include <algorithm>
#include <cmath>

#include "../common/text.hpp"

namespace nnrun::losses {

// loss = log(sum_j exp(x_j)) - x_label for each row of logits x (N, classes).
struct SoftmaxCrossEntropy {
  static constexpr auto name = "softmax_cross_entropy";
  static constexpr auto doc = "cross-entropy of the softmax of the outputs (logits) with the labels";

  void plan(nnrun_loss_plan& p) {
    const Tensor output(*p.output);
    if (p.classes == 0) throw Error("needs class labels, but the data's targets are numbers: choose another train.loss");
    if (output.dtype() != NNRUN_F32) throw Error("takes f32 outputs, got " + dtype_name(output.dtype()));
    if (output.rank() != 2) {
      throw Error("takes outputs (N, classes), got " + sample_shape(output) +
                  ": end the net with `flatten` and {dense: {units: " + std::to_string(p.classes) + "}}");
    }
    if (output.dim(1) != p.classes) {
      throw Error("the net gives " + std::to_string(output.dim(1)) + (output.dim(1) == 1 ? " output" : " outputs") +
                  " a sample, but the data has " + std::to_string(p.classes) + (p.classes == 1 ? " class" : " classes") +
                  ": make the last dense layer {units: " + std::to_string(p.classes) + "}");
    }
    const Host host(p.host);
    with_gradient_ = {host, arguments(output, true)};
    loss_only_ = {host, arguments(output, false)};
    p.scratch_bytes = std::max(with_gradient_.workspace(arguments(output, true)), loss_only_.workspace(arguments(output, false)));
  }

  void run(const nnrun_loss_run& r) const {
    const bool gradient = r.d_output != nullptr;
    nnrun_softmax_cross_entropy_f32 a = arguments(Tensor(*r.output), gradient);
    a.x = Tensor(*r.output).data();
    a.label = Tensor(*r.labels).data<const std::int32_t>();
    a.loss = r.losses;
    a.dx = gradient ? Tensor(*r.d_output).data() : nullptr;
    (gradient ? with_gradient_ : loss_only_)(a, r.scratch);
  }

  void probabilities(const Tensor& output, const Tensor& result) const {
    const std::int64_t columns = output.columns();
    for (std::int64_t at = 0; at < output.count(); at += columns) {
      const float* x = output.data() + at;
      float* y = result.data() + at;
      const float greatest = *std::max_element(x, x + columns);
      float sum = 0;
      for (std::int64_t j = 0; j < columns; ++j) sum += y[j] = std::exp(x[j] - greatest);
      for (std::int64_t j = 0; j < columns; ++j) y[j] /= sum;
    }
  }

 private:
  static nnrun_softmax_cross_entropy_f32 arguments(const Tensor& output, bool gradient) {
    nnrun_softmax_cross_entropy_f32 a{};
    a.rows = output.rows();
    a.columns = output.columns();
    a.scale = static_cast<float>(1.0 / static_cast<double>(output.rows()));
    a.has_gradient = gradient ? 1 : 0;
    return a;
  }

  Kernel<nnrun_softmax_cross_entropy_f32> with_gradient_, loss_only_;
};

}  // namespace nnrun::losses
