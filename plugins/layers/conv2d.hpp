#pragma once

#include "windows.hpp"

namespace nnrun::layers {

// y(n, i, j, f) = bias(f) + sum over (ki, kj, c) of x(n, i * stride + ki * dilation - padding, ..., c) * weights(f, ki, kj, c): a
// cross-correlation, which the field calls convolution. With groups, filter f sees the channels of its group only.
struct Conv2d {
  static constexpr auto name = "conv2d";
  static constexpr auto doc = "convolution over height and width: each filter sees a small window of all channels";

  std::int64_t filters = 0;
  std::vector<std::int64_t> kernel{3};
  std::vector<std::int64_t> stride{1};
  std::vector<std::int64_t> dilation{1};
  IntegersOrWord padding{{}, "valid"};
  std::int64_t groups = 1;
  bool bias = true;
  Initializer weights{"he_uniform"};
  Initializer bias_initializer{"zeros"};

  static constexpr auto params() {
    return schema(
        param<&Conv2d::filters>("filters", "number of output channels").required().range(1, 1 << 20),
        param<&Conv2d::kernel>("kernel", "size of the windows: one number, or [height, width]").required().range(1, 1 << 16).items(1, 2),
        param<&Conv2d::stride>("stride", "pixels from one window to the next: one number, or [vertical, horizontal]")
            .range(1, 1 << 16)
            .items(1, 2),
        param<&Conv2d::dilation>("dilation", "pixels from one weight of a window to the next: one number, or [vertical, horizontal]")
            .range(1, 1 << 16)
            .items(1, 2),
        param<&Conv2d::padding>("padding", padding_doc).choices(padding_words).range(0, 1 << 16).items(1, 4),
        param<&Conv2d::groups>("groups", "channels and filters in so many groups of their own; as many as channels: depthwise")
            .range(1, 1 << 20),
        param<&Conv2d::bias>("bias", "whether to add a trained bias to each filter's output"),
        param<&Conv2d::weights>("weights", "how the weights start"),
        param<&Conv2d::bias_initializer>("bias_initializer", "how the biases start"));
  }

  // y = max(y, 0) costs nothing where the convolution writes y.
  bool absorb(std::uint32_t following) {
    if (following != NNRUN_TRAIT_RELU || relu_) return false;
    relu_ = true;
    return true;
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    windows_ = windows_of(input, {kernel, stride, dilation, padding, "kernel"});
    channels_ = input.dim(3);
    require_groups(channels_, "the input's channels");
    require_groups(filters, "the filters");
    p.output({p.batch(), windows_.output[0], windows_.output[1], filters});

    const std::int64_t taps = windows_.kernel[0] * windows_.kernel[1], depth = channels_ / groups;
    weight_ = p.weight("weights", {filters, windows_.kernel[0], windows_.kernel[1], depth}, taps * depth, taps * (filters / groups),
                       weights);
    if (bias) bias_ = p.weight("bias", {filters}, taps * depth, taps * (filters / groups), bias_initializer, false);

    const auto forward_shape = with_relu_and_bias(p.batch());
    forward_ = p.kernel(forward_shape);
    std::size_t bytes = forward_.workspace(forward_shape);
    const double flops = 2.0 * static_cast<double>(p.batch() * windows_.output[0] * windows_.output[1]) *
                         static_cast<double>(taps * depth) * static_cast<double>(filters);
    frozen_ = p.frozen();
    p.cost(flops, (p.input_gradient() ? flops : 0) + (frozen_ ? 0 : flops));

    if (p.training()) {
      if (!frozen_) p.backward_needs_input();
      if (relu_) {
        p.backward_needs_output();
        relu_backward_ = p.kernel(mask_arguments(p.batch()));
        bytes = std::max(bytes, relu_backward_.workspace(mask_arguments(p.batch())));
      }
      if (p.input_gradient()) {
        const auto shape = arguments<nnrun_conv2d_backward_data_f32>(p.batch());
        backward_data_ = p.kernel(shape);
        bytes = std::max(bytes, backward_data_.workspace(shape));
      }
      if (!frozen_) {
        const auto shape = weights_arguments(p.batch());
        backward_weights_ = p.kernel(shape);
        bytes = std::max(bytes, backward_weights_.workspace(shape));
      }
    }
    scratch_ = p.scratch(bytes);
  }

  void forward(const Run& r) const {
    auto a = with_relu_and_bias(r.batch());
    a.x = r.x().data();
    a.weights = r.weight(weight_).data();
    a.bias = bias ? r.weight(bias_).data() : nullptr;
    a.y = r.y().data();
    forward_(a, r.scratch<void>(scratch_));
  }

  void backward(const Run& r) const {
    void* workspace = r.scratch<void>(scratch_);
    float* dy = r.dy().data();
    if (relu_) {
      nnrun_relu_backward_f32 a = mask_arguments(r.batch());
      a.y = r.y().data();
      a.dy = dy;
      a.dx = dy;
      relu_backward_(a, workspace);
    }
    if (r.input_gradient()) {
      auto a = arguments<nnrun_conv2d_backward_data_f32>(r.batch());
      a.dy = dy;
      a.weights = r.weight(weight_).data();
      a.dx = r.dx().data();
      backward_data_(a, workspace);
    }
    if (frozen_) return;
    auto a = weights_arguments(r.batch());
    a.x = r.x().data();
    a.dy = dy;
    a.dweights = r.d_weight(weight_).data();
    a.dbias = bias ? r.d_weight(bias_).data() : nullptr;
    backward_weights_(a, workspace);
  }

 private:
  void require_groups(std::int64_t count, const std::string& what) const {
    if (count % groups == 0) return;
    throw Error(what + ", " + std::to_string(count) + ", cannot be cut into " + std::to_string(groups) +
                " equal groups: take a divisor of both the input's channels, " + std::to_string(channels_) + ", and the filters, " +
                std::to_string(filters))
        .at("groups");
  }

  template <class Arguments>
  Arguments arguments(std::int64_t batch) const {
    Arguments a{};
    a.windows = with_batch(windows_, batch);
    a.channels = channels_;
    a.filters = filters;
    a.groups = groups;
    return a;
  }

  nnrun_conv2d_forward_f32 with_relu_and_bias(std::int64_t batch) const {
    auto a = arguments<nnrun_conv2d_forward_f32>(batch);
    a.relu = relu_ ? 1 : 0;
    a.has_bias = bias ? 1 : 0;
    return a;
  }

  nnrun_conv2d_backward_weights_f32 weights_arguments(std::int64_t batch) const {
    auto a = arguments<nnrun_conv2d_backward_weights_f32>(batch);
    a.has_bias = bias ? 1 : 0;
    return a;
  }

  nnrun_relu_backward_f32 mask_arguments(std::int64_t batch) const {
    nnrun_relu_backward_f32 a{};
    a.count = batch * windows_.output[0] * windows_.output[1] * filters;
    return a;
  }

  bool relu_ = false, frozen_ = false;
  nnrun_windows windows_{};
  std::int64_t channels_ = 0;
  int weight_ = 0, bias_ = 0, scratch_ = 0;
  Kernel<nnrun_conv2d_forward_f32> forward_;
  Kernel<nnrun_conv2d_backward_data_f32> backward_data_;
  Kernel<nnrun_conv2d_backward_weights_f32> backward_weights_;
  Kernel<nnrun_relu_backward_f32> relu_backward_;
};

}  // namespace nnrun::layers
