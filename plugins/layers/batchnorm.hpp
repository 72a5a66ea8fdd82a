#pragma once

#include <algorithm>
#include <cmath>

#include "inputs.hpp"

namespace nnrun::layers {

// Ioffe and Szegedy 2015: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each channel, the last dimension; a
// row is everything else. Training takes the batch's statistics and keeps running ones for inference, whose variance is the
// unbiased one (rows / (rows - 1)), as in PyTorch.
struct Batchnorm {
  static constexpr auto name = "batchnorm";
  static constexpr auto doc = "normalises each channel (the last dimension) to the batch's mean and variance";

  static constexpr std::uint32_t trait = NNRUN_TRAIT_AFFINE;

  double momentum = 0.9;
  double epsilon = 1e-5;
  Initializer gamma_initializer{"ones"};
  Initializer beta_initializer{"zeros"};

  static constexpr auto params() {
    return schema(
        param<&Batchnorm::momentum>("momentum", "share of the running statistics that a batch leaves in place").range(0, 1).below(1),
        param<&Batchnorm::epsilon>("epsilon", "added to the variance, against division by zero").above(0),
        param<&Batchnorm::gamma_initializer>("gamma_initializer", "how the channels' scales start"),
        param<&Batchnorm::beta_initializer>("beta_initializer", "how the channels' offsets start"));
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_f32(input);
    if (input.rank() < 2) throw Error("takes (N, ..., channels), got " + to_string(input.shape()));
    columns_ = input.dim(input.rank() - 1);
    const std::int64_t rows = rows_of(input);
    p.output(input);
    gamma_ = p.weight("gamma", {columns_}, columns_, columns_, gamma_initializer, false);
    beta_ = p.weight("beta", {columns_}, columns_, columns_, beta_initializer, false);
    running_mean_ = p.state("running_mean", {columns_}, 0.0f);
    running_variance_ = p.state("running_variance", {columns_}, 1.0f);
    const auto count = static_cast<double>(input.count());
    p.cost(8 * count, 10 * count);

    inference_ = p.kernel(forward_arguments(rows, false));
    std::size_t bytes = inference_.workspace(forward_arguments(rows, false));
    frozen_ = p.frozen();
    if (p.training() && frozen_) {
      zeros_ = p.scratch(static_cast<std::size_t>(columns_) * sizeof(float));
    } else if (p.training()) {
      require_rows(rows);
      p.backward_needs_input();
      p.backward_overwrites_input();
      trained_ = true;
      input_gradient_ = p.input_gradient();
      rows_of_sample_ = rows / p.batch();
      statistics_ = p.saved(static_cast<std::size_t>(columns_) * 3 * sizeof(float));
      training_ = p.kernel(forward_arguments(rows, true));
      backward_ = p.kernel(backward_arguments(rows));
      bytes = std::max({bytes, training_.workspace(forward_arguments(rows, true)), backward_.workspace(backward_arguments(rows))});
    }
    scratch_ = p.scratch(bytes);
  }

  void forward(const Run& r) const {
    const std::int64_t rows = rows_of(r.x());
    nnrun_batchnorm_f32 a = forward_arguments(rows, r.training());
    point_at_weights(a, r);
    if (!r.training()) {
      a.mean = r.state(running_mean_).data();
      a.variance = r.state(running_variance_).data();
      inference_(a, r.scratch<void>(scratch_));
      return;
    }
    require_rows(rows);
    point_at_statistics(a, r);
    training_(a, r.scratch<void>(scratch_));
    update_running(r, a);
  }

  // Statistics are of the whole batch; what they are for goes through it in slices.
  std::int64_t slices(std::int64_t batch, bool backward) const {
    if (frozen_ || !trained_) return 0;
    const std::int64_t rows = rows_of_sample_ * batch;
    return -(backward ? (input_gradient_ ? backward_.slices(backward_arguments(rows)) : 0)
                      : training_.slices(forward_arguments(rows, true)));
  }

  void run_slice(const Run& r, const nnrun_slice& slice) const {
    void* workspace = r.scratch<void>(scratch_);
    if (slice.backward != 0) {
      backward_.slice(backward_arguments_of(r), slice, workspace);
      return;
    }
    nnrun_batchnorm_f32 a = forward_arguments(rows_of(r.x()), true);
    point_at_weights(a, r);
    point_at_statistics(a, r);
    if (slice.stage == NNRUN_SLICES_BEFORE) require_rows(a.rows);
    training_.slice(a, slice, workspace);
    if (slice.stage == NNRUN_SLICES_BEHIND) update_running(r, a);
  }

  // What inference does to each channel.
  void affine(const Run& r, float* scale, float* offset) const {
    const float* gamma = r.weight(gamma_).data();
    const float* beta = r.weight(beta_).data();
    const float* mean = r.state(running_mean_).data();
    const float* variance = r.state(running_variance_).data();
    for (std::int64_t c = 0; c < columns_; ++c) {
      const double s = static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(variance[c]) + epsilon);
      scale[c] = static_cast<float>(s);
      offset[c] = static_cast<float>(static_cast<double>(beta[c]) - static_cast<double>(mean[c]) * s);
    }
  }

  void backward(const Run& r) const {
    if (frozen_) return backward_of_inference(r);
    backward_(backward_arguments_of(r), r.scratch<void>(scratch_));
  }

 private:
  void point_at_weights(nnrun_batchnorm_f32& a, const Run& r) const {
    a.x = r.x().data();
    a.y = r.y().data();
    a.gamma = r.weight(gamma_).data();
    a.beta = r.weight(beta_).data();
  }
  void point_at_statistics(nnrun_batchnorm_f32& a, const Run& r) const {
    a.mean = r.saved(statistics_);
    a.inverse = a.mean + columns_;
    a.variance = a.inverse + columns_;
  }

  void update_running(const Run& r, const nnrun_batchnorm_f32& a) const {
    float* running_mean = r.state(running_mean_).data();
    float* running_variance = r.state(running_variance_).data();
    const auto keep = static_cast<float>(momentum);
    const auto take = static_cast<float>(1.0 - momentum);
    const float unbiased = static_cast<float>(a.rows) / static_cast<float>(a.rows - 1);
    for (std::int64_t c = 0; c < columns_; ++c) {
      running_mean[c] = keep * running_mean[c] + take * a.mean[c];
      running_variance[c] = keep * running_variance[c] + take * (a.variance[c] * unbiased);
    }
  }

  // Running statistics do not depend on x: dx = dy * gamma / sqrt(variance + epsilon), which is inference of dy with mean and beta 0.
  void backward_of_inference(const Run& r) const {
    float* zeros = r.scratch<float>(zeros_);
    std::fill_n(zeros, columns_, 0.0f);
    nnrun_batchnorm_f32 a = forward_arguments(rows_of(r.dy()), false);
    a.x = r.dy().data();
    a.y = r.dx().data();
    a.gamma = r.weight(gamma_).data();
    a.beta = a.mean = zeros;
    a.variance = r.state(running_variance_).data();
    inference_(a, r.scratch<void>(scratch_));
  }

  std::int64_t rows_of(const Tensor& tensor) const { return tensor.count() / columns_; }

  static void require_rows(std::int64_t rows) {
    if (rows > 1) return;
    throw Error(
        "one value a channel has no variance to train with: choose train.batch so that no batch, the last one included, "
        "is of a single sample");
  }

  nnrun_batchnorm_f32 forward_arguments(std::int64_t rows, bool training) const {
    nnrun_batchnorm_f32 a{};
    a.rows = rows;
    a.columns = columns_;
    a.epsilon = static_cast<float>(epsilon);
    a.training = training ? 1 : 0;
    return a;
  }

  nnrun_batchnorm_backward_f32 backward_arguments_of(const Run& r) const {
    nnrun_batchnorm_backward_f32 a = backward_arguments(rows_of(r.x()));
    a.x = r.x().data();
    a.dy = r.dy().data();
    a.gamma = r.weight(gamma_).data();
    a.mean = r.saved(statistics_);
    a.inverse = a.mean + columns_;
    a.dx = r.input_gradient() ? r.dx().data() : r.dy().data();  // the kernel always writes one
    a.dgamma = r.d_weight(gamma_).data();
    a.dbeta = r.d_weight(beta_).data();
    return a;
  }

  nnrun_batchnorm_backward_f32 backward_arguments(std::int64_t rows) const {
    nnrun_batchnorm_backward_f32 a{};
    a.rows = rows;
    a.columns = columns_;
    return a;
  }

  std::int64_t columns_ = 1;
  bool frozen_ = false, trained_ = false, input_gradient_ = false;
  std::int64_t rows_of_sample_ = 1;
  int zeros_ = 0;
  int gamma_ = 0, beta_ = 0, running_mean_ = 0, running_variance_ = 0, statistics_ = 0, scratch_ = 0;
  Kernel<nnrun_batchnorm_f32> inference_, training_;
  Kernel<nnrun_batchnorm_backward_f32> backward_;
};

}  // namespace nnrun::layers
