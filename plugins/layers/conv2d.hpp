#pragma once

#include <numeric>

#include "fold_bias.hpp"
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

  // y = max(y, 0) costs nothing where the convolution writes y. Behind a max-pool only a quarter of y is kept, and of its gradient
  // at most a quarter is not zero.
  // What is scaled and shifted in inference is as if other weights had made it: those of fold().
  bool absorb(std::uint32_t following) {
    if (pool_) return false;
    if (following == NNRUN_TRAIT_MAXPOOL_2X2) {
      pool_ = true;
    } else if (following == NNRUN_TRAIT_RELU && !relu_) {
      relu_ = true;
    } else if (following == NNRUN_TRAIT_AFFINE && !relu_ && !affine_) {
      affine_ = true;
    } else {
      return false;
    }
    return true;
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_picture(input);
    windows_ = windows_of(input, {kernel, stride, dilation, padding, "kernel"});
    channels_ = input.dim(3);
    require_groups(channels_, "the input's channels");
    require_groups(filters, "the filters");
    if (height() == 0 || width() == 0) {
      throw Error("its output of " + height_by_width(windows_.output) + " is too small for the 2 x 2 windows of the max-pool behind it");
    }
    p.output({p.batch(), height(), width(), filters});

    const std::int64_t taps = windows_.kernel[0] * windows_.kernel[1], depth = channels_ / groups;
    weight_ =
        p.weight("weights", {filters, windows_.kernel[0], windows_.kernel[1], depth}, taps * depth, taps * (filters / groups), weights);
    if (bias) bias_ = p.weight("bias", {filters}, taps * depth, taps * (filters / groups), bias_initializer, false);
    if (affine_) {
      folded_weight_ = p.folded(static_cast<std::size_t>(filters * taps * depth) * sizeof(float));
      folded_bias_ = p.folded(static_cast<std::size_t>(filters) * sizeof(float));
    }

    const double flops = 2.0 * static_cast<double>(p.batch() * windows_.output[0] * windows_.output[1]) *
                         static_cast<double>(taps * depth) * static_cast<double>(filters);
    frozen_ = p.frozen();
    p.cost(flops, (p.input_gradient() ? flops : 0) + (frozen_ ? 0 : flops));

    input_gradient_ = p.input_gradient();
    workspace_bytes_ = weights_workspace_bytes_ = 0;
    plan_forward(p);
    if (p.training()) plan_backward(p);
    scratch_ = p.scratch(workspace_bytes_);
    weights_scratch_ = p.scratch(weights_workspace_bytes_);
    // The convolution's own result, or its gradient, where a step does not go from pooled to x in one.
    if (pool_ && (!fused_forward_ || (p.training() && needs_unpooled(p.input_gradient()))))
      unpooled_ = p.scratch(unpooled_count(p.batch()) * sizeof(float));
  }

  void forward(const Run& r) const {
    run_forward(r, nullptr);
    if (!pool_ || fused_forward_) return;
    auto a = pool_arguments<nnrun_maxpool2d_forward_f32>(r.batch());
    a.x = r.scratch<float>(unpooled_);
    a.y = r.y().data();
    a.argmax = argmax(r);
    pool_forward_(a, r.scratch<void>(scratch_));
  }

  // Each filter's weights times its scale, and its bias * scale + offset.
  void fold(const Run& r, const float* scale, const float* offset) const {
    const std::span<const float> w = r.weight(weight_).span();
    const std::size_t count = w.size() / static_cast<std::size_t>(filters);  // of one filter
    float* folded = r.folded(folded_weight_);
    for (std::size_t i = 0; i < w.size(); ++i) folded[i] = w[i] * scale[i / count];
    fold_bias(bias ? r.weight(bias_).span() : std::span<const float>(), scale, offset,
              {r.folded(folded_bias_), static_cast<std::size_t>(filters)});
  }

  void backward(const Run& r) const {
    void* workspace = r.scratch<void>(scratch_);
    float* dy = r.dy().data();
    if (masks()) {
      nnrun_relu_backward_f32 a = mask_arguments(r.batch());
      a.y = r.y().data();
      a.dy = dy;
      a.dx = dy;
      relu_backward_(a, workspace);
    }
    const float* unpooled = dy;
    if (pool_ && needs_unpooled(r.input_gradient())) {
      auto a = pool_arguments<nnrun_maxpool2d_backward_f32>(r.batch());
      a.dy = dy;
      a.argmax = argmax(r);
      a.dx = r.scratch<float>(unpooled_);
      pool_backward_(a, workspace);
      unpooled = a.dx;
    }
    run_backward(r, dy, unpooled, nullptr);
  }

  // Where each pass is one call of one kernel, or two that are independent of each other.
  std::int64_t slices(std::int64_t batch, bool backward) const {
    if (!backward) {
      if (pool_ && !fused_forward_) return 0;
      return fused_forward_ ? fused_forward_kernel_.slices(fused_forward_arguments(batch)) : forward_.slices(forward_arguments(batch));
    }
    if (masks() || (pool_ && needs_unpooled(input_gradient_))) return 0;
    std::int64_t count = 0;  // gcd(0, n) is n
    if (input_gradient_) {
      count = fused_data_ ? fused_data_kernel_.slices(arguments<nnrun_conv2d_maxpool_backward_data_f32>(batch))
                          : backward_data_.slices(arguments<nnrun_conv2d_backward_data_f32>(batch));
      if (count == 0) return 0;
    }
    if (frozen_) return count;
    const std::int64_t weights_count =
        fused_weights_ ? fused_weights_kernel_.slices(weights_arguments<nnrun_conv2d_maxpool_backward_weights_f32>(batch))
                       : backward_weights_.slices(weights_arguments<nnrun_conv2d_backward_weights_f32>(batch));
    return weights_count == 0 ? 0 : std::gcd(count, weights_count);
  }

  void run_slice(const Run& r, const nnrun_slice& slice) const {
    if (slice.backward == 0) {
      run_forward(r, &slice);
    } else {
      run_backward(r, r.dy().data(), r.dy().data(), &slice);
    }
  }

 private:
  // `slice` NULL: all of it.
  void run_forward(const Run& r, const nnrun_slice* slice) const {
    if (fused_forward_) {
      run_forward(fused_forward_arguments(r.batch()), fused_forward_kernel_, r, r.y().data(), argmax(r), slice);
    } else {
      run_forward(forward_arguments(r.batch()), forward_, r, pool_ ? r.scratch<float>(unpooled_) : r.y().data(), nullptr, slice);
    }
  }

  // The weights' gradient first: dx may be written over x. dy is the gradient behind the pool, `unpooled` the one before it, where one of
  // the kernels wants that.
  void run_backward(const Run& r, const float* dy, const float* unpooled, const nnrun_slice* slice) const {
    if (!frozen_ && fused_weights_) {
      auto a = weights_arguments<nnrun_conv2d_maxpool_backward_weights_f32>(r.batch());
      a.argmax = argmax(r);
      run_weights(a, fused_weights_kernel_, r, dy, slice);
    } else if (!frozen_) {
      run_weights(weights_arguments<nnrun_conv2d_backward_weights_f32>(r.batch()), backward_weights_, r, unpooled, slice);
    }
    if (r.input_gradient() && fused_data_) {
      auto a = arguments<nnrun_conv2d_maxpool_backward_data_f32>(r.batch());
      a.argmax = argmax(r);
      run_data(a, fused_data_kernel_, r, dy, slice);
    } else if (r.input_gradient()) {
      run_data(arguments<nnrun_conv2d_backward_data_f32>(r.batch()), backward_data_, r, unpooled, slice);
    }
  }

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

  template <class Arguments>
  Arguments with_relu_and_bias(std::int64_t batch) const {
    auto a = arguments<Arguments>(batch);
    a.relu = relu_ ? 1 : 0;
    a.has_bias = bias || affine_ ? 1 : 0;
    return a;
  }

  nnrun_conv2d_forward_f32 forward_arguments(std::int64_t batch) const { return with_relu_and_bias<nnrun_conv2d_forward_f32>(batch); }
  nnrun_conv2d_maxpool_forward_f32 fused_forward_arguments(std::int64_t batch) const {
    return with_relu_and_bias<nnrun_conv2d_maxpool_forward_f32>(batch);
  }

  template <class Arguments>
  Arguments weights_arguments(std::int64_t batch) const {
    auto a = arguments<Arguments>(batch);
    a.has_bias = bias ? 1 : 0;
    return a;
  }

  nnrun_relu_backward_f32 mask_arguments(std::int64_t batch) const {
    nnrun_relu_backward_f32 a{};
    a.count = batch * height() * width() * filters;
    return a;
  }

  template <class Arguments>
  Arguments pool_arguments(std::int64_t batch) const {
    Arguments a{};
    a.channels = filters;
    a.windows.batch = batch;
    for (int axis = 0; axis < 2; ++axis) {
      a.windows.input[axis] = windows_.output[axis];
      a.windows.output[axis] = windows_.output[axis] / 2;
      a.windows.kernel[axis] = a.windows.stride[axis] = 2;
      a.windows.dilation[axis] = 1;
    }
    return a;
  }

  // Of the output.
  std::int64_t height() const { return pool_ ? windows_.output[0] / 2 : windows_.output[0]; }
  std::int64_t width() const { return pool_ ? windows_.output[1] / 2 : windows_.output[1]; }
  std::size_t unpooled_count(std::int64_t batch) const {
    return static_cast<std::size_t>(batch * windows_.output[0] * windows_.output[1] * filters);
  }

  bool needs_unpooled(bool input_gradient) const { return (input_gradient && !fused_data_) || (!frozen_ && !fused_weights_); }
  // The fused forward pass marks in argmax where ReLU lets no gradient through.
  bool masks() const { return relu_ && !fused_forward_; }
  std::uint8_t* argmax(const Run& r) const { return argmax_ < 0 ? nullptr : r.saved<std::uint8_t>(argmax_); }

  template <class Arguments>
  Kernel<Arguments> planned(Plan& p, const Arguments& shape, std::size_t& workspace_bytes) {
    const Kernel<Arguments> chosen = p.kernel(shape);
    workspace_bytes = std::max(workspace_bytes, chosen.workspace(shape));
    return chosen;
  }
  template <class Arguments>
  Kernel<Arguments> planned(Plan& p, const Arguments& shape) {
    return planned(p, shape, workspace_bytes_);
  }

  // In one where the kernels at hand are made for that, otherwise one after the other.
  template <class Fused, class Separate>
  bool plan_pass(Plan& p, const Fused& fused, Kernel<Fused>& fused_kernel, const Separate& separate, Kernel<Separate>& separate_kernel,
                 std::size_t& workspace_bytes) {
    if (pool_ && p.score(fused) >= p.score(separate)) {
      fused_kernel = planned(p, fused, workspace_bytes);
      return true;
    }
    separate_kernel = planned(p, separate, workspace_bytes);
    return false;
  }

  void plan_forward(Plan& p) {
    fused_forward_ =
        plan_pass(p, fused_forward_arguments(p.batch()), fused_forward_kernel_, forward_arguments(p.batch()), forward_, workspace_bytes_);
    if (pool_ && !fused_forward_) pool_forward_ = planned(p, pool_arguments<nnrun_maxpool2d_forward_f32>(p.batch()));
  }

  void plan_backward(Plan& p) {
    const std::int64_t batch = p.batch();
    if (pool_) argmax_ = p.saved(static_cast<std::size_t>(batch * height() * width() * filters));
    if (!frozen_) p.backward_needs_input();
    p.backward_overwrites_input();
    if (masks()) {
      p.backward_needs_output();
      relu_backward_ = planned(p, mask_arguments(batch));
    }
    if (p.input_gradient()) {
      fused_data_ = plan_pass(p, arguments<nnrun_conv2d_maxpool_backward_data_f32>(batch), fused_data_kernel_,
                              arguments<nnrun_conv2d_backward_data_f32>(batch), backward_data_, workspace_bytes_);
    }
    if (!frozen_) {
      fused_weights_ = plan_pass(p, weights_arguments<nnrun_conv2d_maxpool_backward_weights_f32>(batch), fused_weights_kernel_,
                                 weights_arguments<nnrun_conv2d_backward_weights_f32>(batch), backward_weights_, weights_workspace_bytes_);
    }
    if (pool_ && needs_unpooled(p.input_gradient())) pool_backward_ = planned(p, pool_arguments<nnrun_maxpool2d_backward_f32>(batch));
  }

  template <class Arguments>
  void run_forward(Arguments a, const Kernel<Arguments>& chosen, const Run& r, float* y, std::uint8_t* argmax,
                   const nnrun_slice* slice) const {
    a.x = r.x().data();
    a.weights = affine_ ? r.folded(folded_weight_) : r.weight(weight_).data();
    a.bias = affine_ ? r.folded(folded_bias_) : bias ? r.weight(bias_).data() : nullptr;
    a.y = y;
    if constexpr (requires { a.argmax; }) a.argmax = argmax;
    run(chosen, a, slice, r.scratch<void>(scratch_));
  }

  template <class Arguments>
  void run_data(Arguments a, const Kernel<Arguments>& chosen, const Run& r, const float* dy, const nnrun_slice* slice) const {
    a.dy = dy;
    a.weights = r.weight(weight_).data();
    a.dx = r.dx().data();
    run(chosen, a, slice, r.scratch<void>(scratch_));
  }

  template <class Arguments>
  void run_weights(Arguments a, const Kernel<Arguments>& chosen, const Run& r, const float* dy, const nnrun_slice* slice) const {
    a.x = r.x().data();
    a.dy = dy;
    a.dweights = r.d_weight(weight_).data();
    a.dbias = bias ? r.d_weight(bias_).data() : nullptr;
    run(chosen, a, slice, r.scratch<void>(weights_scratch_));
  }

  template <class Arguments>
  static void run(const Kernel<Arguments>& chosen, const Arguments& a, const nnrun_slice* slice, void* workspace) {
    if (slice == nullptr) {
      chosen(a, workspace);
    } else {
      chosen.slice(a, *slice, workspace);
    }
  }

  bool relu_ = false, pool_ = false, affine_ = false;  // absorbed
  bool frozen_ = false, input_gradient_ = false;
  bool fused_forward_ = false, fused_data_ = false, fused_weights_ = false;
  nnrun_windows windows_{};
  std::int64_t channels_ = 0;
  std::size_t workspace_bytes_ = 0, weights_workspace_bytes_ = 0;
  int weight_ = 0, bias_ = 0, folded_weight_ = 0, folded_bias_ = 0, argmax_ = -1, scratch_ = 0, weights_scratch_ = 0, unpooled_ = -1;
  Kernel<nnrun_conv2d_forward_f32> forward_;
  Kernel<nnrun_conv2d_backward_data_f32> backward_data_;
  Kernel<nnrun_conv2d_backward_weights_f32> backward_weights_;
  Kernel<nnrun_conv2d_maxpool_forward_f32> fused_forward_kernel_;
  Kernel<nnrun_conv2d_maxpool_backward_data_f32> fused_data_kernel_;
  Kernel<nnrun_conv2d_maxpool_backward_weights_f32> fused_weights_kernel_;
  Kernel<nnrun_maxpool2d_forward_f32> pool_forward_;
  Kernel<nnrun_maxpool2d_backward_f32> pool_backward_;
  Kernel<nnrun_relu_backward_f32> relu_backward_;
};

}  // namespace nnrun::layers
