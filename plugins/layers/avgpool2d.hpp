#pragma once

#include "kernel_pair.hpp"
#include "windows.hpp"

namespace nnrun::layers {

// Forward and backward of a mean over windows, for the two layers below.
class WindowMeans {
 public:
  void plan(Plan& p, const nnrun_windows& windows) {
    windows_ = windows;
    channels_ = p.input().dim(3);
    const auto outputs = static_cast<double>(p.batch() * windows.output[0] * windows.output[1] * channels_);
    const double terms = outputs * static_cast<double>(windows.kernel[0] * windows.kernel[1]);
    p.cost(terms, terms);
    kernels_.plan(p, arguments<nnrun_avgpool2d_forward_f32>(p.batch()), arguments<nnrun_avgpool2d_backward_f32>(p.batch()));
  }

  void forward(const Run& r) const {
    auto a = arguments<nnrun_avgpool2d_forward_f32>(r.batch());
    a.x = r.x().data();
    a.y = r.y().data();
    kernels_(r, a);
  }

  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    auto a = arguments<nnrun_avgpool2d_backward_f32>(r.batch());
    a.dy = r.dy().data();
    a.dx = r.dx().data();
    kernels_(r, a);
  }

 private:
  template <class Arguments>
  Arguments arguments(std::int64_t batch) const {
    Arguments a{};
    a.windows = with_batch(windows_, batch);
    a.channels = channels_;
    return a;
  }

  nnrun_windows windows_{};
  std::int64_t channels_ = 0;
  KernelPair<nnrun_avgpool2d_forward_f32, nnrun_avgpool2d_backward_f32> kernels_;
};

// Padding does not count: the mean is over those places of a window that lie in the picture.
struct Avgpool2d {
  static constexpr auto name = "avgpool2d";
  static constexpr auto doc = "the mean of each window, for each channel";

  std::vector<std::int64_t> size{2};
  IntegersOrWord stride{{}, "size"};
  IntegersOrWord padding{{}, "valid"};

  static constexpr auto params() { return pool_params<Avgpool2d>(); }

  void plan(Plan& p) {
    require_picture(p.input());
    const nnrun_windows windows = pool_windows_of(p.input(), size, stride, padding);
    p.output({p.batch(), windows.output[0], windows.output[1], p.input().dim(3)});
    means_.plan(p, windows);
  }
  void forward(const Run& r) const { means_.forward(r); }
  void backward(const Run& r) const { means_.backward(r); }

 private:
  WindowMeans means_;
};

// One window, the whole picture.
struct GlobalAvgpool {
  static constexpr auto name = "global_avgpool";
  static constexpr auto doc = "the mean of each channel over the whole picture: (N, H, W, C) to (N, C)";

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_picture(input);
    p.output({p.batch(), input.dim(3)});
    const std::vector<std::int64_t> size{input.dim(1), input.dim(2)};
    means_.plan(p, pool_windows_of(input, size, {{}, "size"}, {{}, "valid"}));
  }
  void forward(const Run& r) const { means_.forward(r); }
  void backward(const Run& r) const { means_.backward(r); }

 private:
  WindowMeans means_;
};

}  // namespace nnrun::layers
