#pragma once

#include <algorithm>
#include <cmath>

#include "windows.hpp"

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

 private:
  // With and without a max-pool, arguments have the same names.
  template <class Forward, class Backward>
  struct Kernels {
    Kernel<Forward> inference, training;
    Kernel<Backward> backward;

    // Bytes of workspace.
    std::size_t plan(Plan& p, const Batchnorm& layer) {
      const Forward shape = forward_arguments(p.batch(), false, layer);
      inference = p.kernel(shape);
      std::size_t bytes = inference.workspace(shape);
      if (!p.training()) return bytes;
      if (layer.trained_) {
        const Forward training_shape = forward_arguments(p.batch(), true, layer);
        training = p.kernel(training_shape);
        bytes = std::max(bytes, training.workspace(training_shape));
      }
      const Backward backward_shape = backward_arguments(p.batch(), layer);
      backward = p.kernel(backward_shape);
      return std::max(bytes, backward.workspace(backward_shape));
    }

    static Forward forward_arguments(std::int64_t batch, bool training, const Batchnorm& layer) {
      auto a = layer.shaped<Forward>(batch);
      a.epsilon = static_cast<float>(layer.epsilon);
      a.training = training ? 1 : 0;
      a.relu = layer.relu_ ? 1 : 0;
      return a;
    }
    static Forward forward_arguments_of(const Run& r, const Batchnorm& layer) {
      Forward a = forward_arguments(r.batch(), r.training(), layer);
      a.x = r.x().data();
      a.y = r.y().data();
      a.gamma = r.weight(layer.gamma_).data();
      a.beta = r.weight(layer.beta_).data();
      a.mean = r.training() ? r.saved(layer.statistics_) : r.state(layer.running_mean_).data();
      a.inverse = r.training() ? a.mean + layer.columns_ : nullptr;
      a.variance = r.training() ? a.inverse + layer.columns_ : r.state(layer.running_variance_).data();
      if constexpr (requires { a.argmax; }) a.argmax = layer.argmax(r);
      return a;
    }

    static Backward backward_arguments(std::int64_t batch, const Batchnorm& layer) {
      auto a = layer.shaped<Backward>(batch);
      a.has_gradient = layer.input_gradient_ ? 1 : 0;
      a.training = layer.frozen_ ? 0 : 1;
      if constexpr (requires { a.relu; }) a.relu = layer.relu_ ? 1 : 0;
      return a;
    }
    static Backward backward_arguments_of(const Run& r, const Batchnorm& layer) {
      Backward a = backward_arguments(r.batch(), layer);
      a.x = r.x().data();
      a.dy = r.dy().data();
      a.gamma = r.weight(layer.gamma_).data();
      a.mean = layer.frozen_ ? r.state(layer.running_mean_).data() : r.saved(layer.statistics_);
      a.inverse = a.mean + layer.columns_;
      a.dx = r.input_gradient() ? r.dx().data() : nullptr;
      a.dgamma = r.d_weight(layer.gamma_).data();
      a.dbeta = r.d_weight(layer.beta_).data();
      if constexpr (requires { a.beta; }) a.beta = r.weight(layer.beta_).data();
      if constexpr (requires { a.argmax; }) a.argmax = layer.argmax(r);
      return a;
    }
  };

  template <class Function>
  auto with_kernels(const Function& function) const {
    return pool_ ? function(pooled_) : function(plain_);
  }
  template <class Function>
  void with_kernels(const Function& function) {
    pool_ ? function(pooled_) : function(plain_);
  }

 public:
  // With ReLU, y need not be kept: whether it was above 0 follows from x. With a max-pool, what is normalised never goes to memory, and its
  // gradient is zero at three places of four.
  bool absorb(std::uint32_t following) {
    if (pool_) return false;
    if (following == NNRUN_TRAIT_MAXPOOL_2X2) {
      pool_ = true;
    } else if (following == NNRUN_TRAIT_RELU && !relu_) {
      relu_ = true;
    } else {
      return false;
    }
    return true;
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_f32(input);
    if (input.rank() < 2) throw Error("takes (N, ..., channels), got " + to_string(input.shape()));
    columns_ = input.dim(input.rank() - 1);
    rows_of_sample_ = input.count() / columns_ / p.batch();
    frozen_ = p.frozen();
    trained_ = p.training() && !frozen_;
    input_gradient_ = p.input_gradient();
    p.output(output_shape(input));
    gamma_ = p.weight("gamma", {columns_}, columns_, columns_, gamma_initializer, false);
    beta_ = p.weight("beta", {columns_}, columns_, columns_, beta_initializer, false);
    running_mean_ = p.state("running_mean", {columns_}, 0.0f);
    running_variance_ = p.state("running_variance", {columns_}, 1.0f);
    const auto count = static_cast<double>(input.count());
    p.cost(8 * count, 10 * count);

    if (trained_) {
      require_rows(rows_of_sample_ * p.batch());
      p.backward_needs_input();
      p.backward_overwrites_input();
      statistics_ = p.saved(static_cast<std::size_t>(columns_) * 3 * sizeof(float));
    } else if (p.training()) {
      if (relu_ && !pool_) p.backward_needs_input();
      inverse_ = p.scratch(static_cast<std::size_t>(columns_) * sizeof(float));
    }
    if (pool_ && p.training()) argmax_ = p.saved(static_cast<std::size_t>(p.batch() * (picture_[0] / 2) * (picture_[1] / 2) * columns_));
    with_kernels([&](auto& kernels) { scratch_ = p.scratch(kernels.plan(p, *this)); });
  }

  void forward(const Run& r) const {
    with_kernels([&](const auto& kernels) {
      auto a = kernels.forward_arguments_of(r, *this);
      if (r.training()) require_rows(rows_of_sample_ * r.batch());
      (r.training() ? kernels.training : kernels.inference)(a, r.scratch<void>(scratch_));
      if (r.training()) update_running(r);
    });
  }

  // Statistics are of the whole batch; what they are for goes through it in slices. Each slice's part in them can be had ahead.
  std::int64_t slices(std::int64_t batch, bool backward) const {
    if (!trained_ || (backward && !input_gradient_)) return 0;
    return -with_kernels([&](const auto& kernels) {
      return backward ? kernels.backward.slices(kernels.backward_arguments(batch, *this))
                      : kernels.training.slices(kernels.forward_arguments(batch, true, *this));
    });
  }
  std::int64_t slices_ahead(std::int64_t batch, bool backward) const {
    return with_kernels([&](const auto& kernels) {
      return backward ? kernels.backward.slices_ahead(kernels.backward_arguments(batch, *this))
                      : kernels.training.slices_ahead(kernels.forward_arguments(batch, true, *this));
    });
  }

  void run_slice(const Run& r, const nnrun_slice& slice) const {
    void* workspace = r.scratch<void>(scratch_);
    with_kernels([&](const auto& kernels) {
      if (slice.backward != 0) {
        kernels.backward.slice(kernels.backward_arguments_of(r, *this), slice, workspace);
        return;
      }
      if (slice.stage == NNRUN_SLICES_BEFORE) require_rows(rows_of_sample_ * r.batch());
      kernels.training.slice(kernels.forward_arguments_of(r, *this), slice, workspace);
      if (slice.stage == NNRUN_SLICES_BEHIND) update_running(r);
    });
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
    with_kernels([&](const auto& kernels) {
      auto a = kernels.backward_arguments_of(r, *this);
      if (frozen_) a.inverse = running_inverse(r);
      kernels.backward(a, r.scratch<void>(scratch_));
    });
  }

 private:
  Shape output_shape(const Tensor& input) {
    if (!pool_) return input.shape();
    if (input.rank() != 4)
      throw Error("the max-pool behind it takes pictures, (N, height, width, channels), got " + to_string(input.shape()));
    for (const std::size_t axis : {0u, 1u}) picture_[axis] = input.dim(axis + 1);
    if (picture_[0] < 2 || picture_[1] < 2) {
      throw Error("its output of " + height_by_width(picture_) + " is too small for the 2 x 2 windows of the max-pool behind it");
    }
    return {input.dim(0), picture_[0] / 2, picture_[1] / 2, columns_};
  }

  template <class Arguments>
  Arguments shaped(std::int64_t batch) const {
    Arguments a{};
    if constexpr (requires { a.rows; }) {
      a.rows = rows_of_sample_ * batch;
      a.columns = columns_;
    } else {
      a.batch = batch;
      a.height = picture_[0];
      a.width = picture_[1];
      a.channels = columns_;
    }
    return a;
  }

  std::uint8_t* argmax(const Run& r) const { return argmax_ < 0 ? nullptr : r.saved<std::uint8_t>(argmax_); }

  void update_running(const Run& r) const {
    const float* mean = r.saved(statistics_);
    const float* variance = mean + 2 * columns_;
    float* running_mean = r.state(running_mean_).data();
    float* running_variance = r.state(running_variance_).data();
    const std::int64_t rows = rows_of_sample_ * r.batch();
    const auto keep = static_cast<float>(momentum);
    const auto take = static_cast<float>(1.0 - momentum);
    const float unbiased = static_cast<float>(rows) / static_cast<float>(rows - 1);
    for (std::int64_t c = 0; c < columns_; ++c) {
      running_mean[c] = keep * running_mean[c] + take * mean[c];
      running_variance[c] = keep * running_variance[c] + take * (variance[c] * unbiased);
    }
  }

  const float* running_inverse(const Run& r) const {
    const float* variance = r.state(running_variance_).data();
    float* inverse = r.scratch<float>(inverse_);
    for (std::int64_t c = 0; c < columns_; ++c) inverse[c] = 1 / std::sqrt(variance[c] + static_cast<float>(epsilon));
    return inverse;
  }

  static void require_rows(std::int64_t rows) {
    if (rows > 1) return;
    throw Error(
        "one value a channel has no variance to train with: choose train.batch so that no batch, the last one included, "
        "is of a single sample");
  }

  bool relu_ = false, pool_ = false;  // absorbed
  std::int64_t columns_ = 1, rows_of_sample_ = 1, picture_[2] = {1, 1};
  bool frozen_ = false, trained_ = false, input_gradient_ = false;
  int gamma_ = 0, beta_ = 0, running_mean_ = 0, running_variance_ = 0, statistics_ = 0, inverse_ = 0, scratch_ = 0, argmax_ = -1;
  Kernels<nnrun_batchnorm_f32, nnrun_batchnorm_backward_f32> plain_;
  Kernels<nnrun_batchnorm_maxpool_f32, nnrun_batchnorm_maxpool_backward_f32> pooled_;
};

}  // namespace nnrun::layers
