#pragma once

#include "arithmetic.hpp"

#include "../layers/windows.hpp"

namespace nnrun::fixed_point {

// x is (N, H, W, C), weights are (filters, kernel, kernel, C / groups), bias is (filters), y is s32: see nnrun_conv2d_... in
// <nnrun/fixed_kernels.h>.
struct FixedConv2d {
  static constexpr auto name = "fixed_conv2d";
  static constexpr auto doc = "convolution of integers, as a quantizer makes it";

  std::int64_t filters = 0;
  std::vector<std::int64_t> kernel{3};
  std::vector<std::int64_t> stride{1};
  std::vector<std::int64_t> dilation{1};
  IntegersOrWord padding{{}, "valid"};
  std::int64_t groups = 1;
  std::string arithmetic;
  std::int64_t shift = 0;
  std::int64_t outside = 0;
  bool bias = true;

  static constexpr auto params() {
    return schema(
        param<&FixedConv2d::filters>("filters", "number of output channels").required().range(1, 1 << 20),
        param<&FixedConv2d::kernel>("kernel", "size of the windows: one number, or [height, width]")
            .required()
            .range(1, 1 << 16)
            .items(1, 2),
        param<&FixedConv2d::stride>("stride", "pixels from one window to the next: one number, or [vertical, horizontal]")
            .range(1, 1 << 16)
            .items(1, 2),
        param<&FixedConv2d::dilation>("dilation", "pixels from one weight of a window to the next: one number, or [vertical, horizontal]")
            .range(1, 1 << 16)
            .items(1, 2),
        param<&FixedConv2d::padding>("padding", layers::padding_doc).choices(layers::padding_words).range(0, 1 << 16).items(1, 4),
        param<&FixedConv2d::groups>("groups", "channels and filters in so many groups of their own").range(1, 1 << 20),
        param<&FixedConv2d::arithmetic>("arithmetic", arithmetic_doc).choices(arithmetic_words).required(),
        param<&FixedConv2d::shift>("shift", "of s32: bits that sums are shifted right by").range(0, 31),
        param<&FixedConv2d::outside>("outside", "of s8: what places outside of the picture count as").range(0, 255),
        param<&FixedConv2d::bias>("bias", "whether a bias is added to each sum"));
  }

  void plan(Plan& p) {
    kind_ = arithmetic_of(arithmetic);
    const Tensor input = p.input();
    require_dtype(input, input_dtype(kind_));
    windows_ = layers::windows_of(input, {kernel, stride, dilation, padding, "kernel"});
    channels_ = input.dim(3);
    if (channels_ % groups != 0 || filters % groups != 0) {
      throw Error("cannot cut " + std::to_string(channels_) + " channels and " + std::to_string(filters) + " filters into " +
                  std::to_string(groups) + " groups")
          .at("groups");
    }
    p.output({p.batch(), windows_.output[0], windows_.output[1], filters}, NNRUN_S32);
    const std::int64_t depth = channels_ / groups;
    weights_ = p.integers("weights", weight_dtype(kind_), {filters, windows_.kernel[0], windows_.kernel[1], depth});
    if (bias) bias_ = p.integers("bias", NNRUN_S32, {filters});
    p.cost(2.0 * static_cast<double>(p.batch() * windows_.output[0] * windows_.output[1]) *
               static_cast<double>(windows_.kernel[0] * windows_.kernel[1] * depth) * static_cast<double>(filters),
           0);
    with_conv2d(kind_, [&]<class A>(Of<A>) {
      kernels_.of<A>() = p.kernel(arguments<A>(p.batch()));
      scratch_ = p.scratch(kernels_.of<A>().workspace(arguments<A>(p.batch())));
    });
  }

  void forward(const Run& r) const {
    with_conv2d(kind_, [&]<class A>(Of<A>) {
      A a = arguments<A>(r.batch());
      set_pointers(a, r, weights_, bias_);
      kernels_.of<A>()(a, r.scratch<void>(scratch_));
    });
  }

 private:
  template <class A>
  A arguments(std::int64_t batch) const {
    A a{};
    a.windows = layers::with_batch(windows_, batch);
    a.channels = channels_;
    a.filters = filters;
    a.groups = groups;
    a.has_bias = bias ? 1 : 0;
    if constexpr (requires { a.shift; }) a.shift = static_cast<std::int32_t>(shift);
    if constexpr (requires { a.outside; }) a.outside = static_cast<std::int32_t>(outside);
    return a;
  }

  Arithmetic kind_ = Arithmetic::q16;
  nnrun_windows windows_{};
  std::int64_t channels_ = 0;
  int weights_ = 0, bias_ = 0, scratch_ = 0;
  Kernels<nnrun_conv2d_q16, nnrun_conv2d_q16_low, nnrun_conv2d_s32, nnrun_conv2d_s8> kernels_;
};

}  // namespace nnrun::fixed_point
