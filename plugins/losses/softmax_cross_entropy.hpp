#pragma once

#include <algorithm>
#include <cmath>

#include "../common/text.hpp"

namespace nnrun::losses {

// loss = sum_j q_j (log(sum_k exp(x_k)) - x_j) for each row of logits x (N, classes), where q is the label's distribution: 1 at the class,
// or what a transform mixed; with smoothing s (Szegedy et al. 2016), (1 - s) of that and s / classes everywhere.
struct SoftmaxCrossEntropy {
  static constexpr auto name = "softmax_cross_entropy";
  static constexpr auto doc = "cross-entropy of the softmax of the outputs (logits) with the labels";

  double label_smoothing = 0;

  static constexpr auto params() {
    return schema(param<&SoftmaxCrossEntropy::label_smoothing>(
                      "label_smoothing", "share of each label that is spread evenly over all classes, against overconfidence")
                      .range(0, 1)
                      .below(1));
  }

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
    if (r.labels->dtype == NNRUN_S32) {
      a.label = Tensor(*r.labels).data<const std::int32_t>();
    } else {
      a.target = Tensor(*r.labels).data<const float>();
    }
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
  nnrun_softmax_cross_entropy_f32 arguments(const Tensor& output, bool gradient) const {
    nnrun_softmax_cross_entropy_f32 a{};
    a.rows = output.rows();
    a.columns = output.columns();
    a.scale = static_cast<float>(1.0 / static_cast<double>(output.rows()));
    a.has_gradient = gradient ? 1 : 0;
    a.smoothing = static_cast<float>(label_smoothing);
    return a;
  }

  Kernel<nnrun_softmax_cross_entropy_f32> with_gradient_, loss_only_;
};

}  // namespace nnrun::losses
