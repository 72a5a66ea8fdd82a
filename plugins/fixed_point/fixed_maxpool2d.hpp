#pragma once

#include "arithmetic.hpp"

#include "../layers/windows.hpp"

namespace nnrun::fixed_point {

// The largest of each window, of u8 or s32.
struct FixedMaxpool2d {
  static constexpr auto name = "fixed_maxpool2d";
  static constexpr auto doc = "largest integer of each window, channel by channel";

  std::vector<std::int64_t> size{2};
  IntegersOrWord stride{{}, "size"};
  IntegersOrWord padding{{}, "valid"};

  static constexpr auto params() {
    return schema(
        param<&FixedMaxpool2d::size>("size", "size of the windows: one number, or [height, width]")
            .required()
            .range(1, 1 << 16)
            .items(1, 2),
        param<&FixedMaxpool2d::stride>("stride",
                                       "pixels from one window to the next: size (side by side), one number, or [vertical, horizontal]")
            .choices(layers::pool_stride_words)
            .range(1, 1 << 16)
            .items(1, 2),
        param<&FixedMaxpool2d::padding>("padding", layers::pool_padding_doc).choices(layers::padding_words).range(0, 1 << 16).items(1, 4));
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    bytes_ = input.dtype() == NNRUN_U8;
    if (!bytes_) require_dtype(input, NNRUN_S32);
    windows_ = layers::pool_windows_of(input, size, stride, padding);
    channels_ = input.dim(3);
    p.output({p.batch(), windows_.output[0], windows_.output[1], channels_}, input.dtype());
    if (bytes_) {
      plan_kernel<nnrun_maxpool2d_u8>(p);
    } else {
      plan_kernel<nnrun_maxpool2d_s32>(p);
    }
  }

  void forward(const Run& r) const {
    if (bytes_) {
      run<nnrun_maxpool2d_u8>(r);
    } else {
      run<nnrun_maxpool2d_s32>(r);
    }
  }

 private:
  template <class A>
  A arguments(std::int64_t batch) const {
    A a{};
    a.windows = layers::with_batch(windows_, batch);
    a.channels = channels_;
    return a;
  }
  template <class A>
  void plan_kernel(Plan& p) {
    kernels_.of<A>() = p.kernel(arguments<A>(p.batch()));
    scratch_ = p.scratch(kernels_.of<A>().workspace(arguments<A>(p.batch())));
  }
  template <class A>
  void run(const Run& r) const {
    A a = arguments<A>(r.batch());
    a.x = r.x().data<std::remove_pointer_t<decltype(a.x)>>();
    a.y = r.y().data<std::remove_pointer_t<decltype(a.y)>>();
    kernels_.of<A>()(a, r.scratch<void>(scratch_));
  }

  bool bytes_ = false;
  nnrun_windows windows_{};
  std::int64_t channels_ = 0;
  int scratch_ = 0;
  Kernels<nnrun_maxpool2d_u8, nnrun_maxpool2d_s32> kernels_;
};

}  // namespace nnrun::fixed_point
