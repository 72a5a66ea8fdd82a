#pragma once

#include "kernel_pair.hpp"
#include "windows.hpp"

namespace nnrun::layers {

// Which place of its window was the largest is kept, a byte an output, so that backward needs neither x nor y.
struct Maxpool2d {
  static constexpr auto name = "maxpool2d";
  static constexpr auto doc = "the largest number of each window, for each channel";

  std::vector<std::int64_t> size{2};
  IntegersOrWord stride{{}, "size"};
  IntegersOrWord padding{{}, "valid"};

  static constexpr auto params() { return pool_params<Maxpool2d>(); }

  // The pool that convolutions can take over.
  std::uint32_t trait_of() const {
    const auto is_two = [](const std::vector<std::int64_t>& given) {
      return std::all_of(given.begin(), given.end(), [](std::int64_t n) { return n == 2; });
    };
    const bool unpadded = padding.word.empty()
                              ? std::all_of(padding.integers.begin(), padding.integers.end(), [](auto n) { return n == 0; })
                              : padding.word == "valid";
    const bool side_by_side = !stride.word.empty() || is_two(stride.integers);
    return is_two(size) && side_by_side && unpadded ? NNRUN_TRAIT_MAXPOOL_2X2 : NNRUN_TRAIT_NONE;
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_picture(input);
    windows_ = pool_windows_of(input, size, stride, padding);
    channels_ = input.dim(3);
    if (windows_.kernel[0] * windows_.kernel[1] > most_places) {
      throw Error("windows of " + height_by_width(windows_.kernel) + " have more than " + std::to_string(most_places) +
                  " places: take smaller ones, or two of these layers, one after the other")
          .at("size");
    }
    const Shape output{p.batch(), windows_.output[0], windows_.output[1], channels_};
    p.output(output);
    const std::int64_t outputs = output[0] * output[1] * output[2] * output[3];
    p.cost(static_cast<double>(outputs * windows_.kernel[0] * windows_.kernel[1]), static_cast<double>(input.count()));

    kernels_.plan(p, arguments<nnrun_maxpool2d_forward_f32>(p.batch()), arguments<nnrun_maxpool2d_backward_f32>(p.batch()));
    if (p.training()) argmax_ = p.saved(static_cast<std::size_t>(outputs));
  }

  void forward(const Run& r) const { kernels_(r, forward_arguments(r, 0, 1)); }

  void backward(const Run& r) const {
    if (r.input_gradient()) kernels_(r, backward_arguments(r, 0, 1));
  }

  std::int64_t slices(std::int64_t batch, bool backward) const { return kernels_.slices(batch, backward); }

  void run_slice(const Run& r, const nnrun_slice& slice) const {
    if (slice.stage != NNRUN_SLICES_EACH) return;
    if (slice.backward == 0) {
      kernels_.slice(forward_arguments(r, slice.index, slice.count));
    } else {
      kernels_.slice(backward_arguments(r, slice.index, slice.count));
    }
  }

 private:
  // Part `index` of `parts`.
  nnrun_maxpool2d_forward_f32 forward_arguments(const Run& r, std::int64_t index, std::int64_t parts) const {
    auto a = arguments<nnrun_maxpool2d_forward_f32>(r.batch() / parts);
    const std::int64_t outputs = r.y().count() / parts;
    a.x = r.x().data() + index * (r.x().count() / parts);
    a.y = r.y().data() + index * outputs;
    a.argmax = argmax_ < 0 ? nullptr : r.saved<std::uint8_t>(argmax_) + index * outputs;
    return a;
  }
  nnrun_maxpool2d_backward_f32 backward_arguments(const Run& r, std::int64_t index, std::int64_t parts) const {
    auto a = arguments<nnrun_maxpool2d_backward_f32>(r.batch() / parts);
    const std::int64_t outputs = r.y().count() / parts;
    a.dy = r.dy().data() + index * outputs;
    a.argmax = r.saved<std::uint8_t>(argmax_) + index * outputs;
    a.dx = r.dx().data() + index * (r.dx().count() / parts);
    return a;
  }

  static constexpr std::int64_t most_places = 256;

  template <class Arguments>
  Arguments arguments(std::int64_t batch) const {
    Arguments a{};
    a.windows = with_batch(windows_, batch);
    a.channels = channels_;
    return a;
  }

  nnrun_windows windows_{};
  std::int64_t channels_ = 0;
  int argmax_ = -1;
  KernelPair<nnrun_maxpool2d_forward_f32, nnrun_maxpool2d_backward_f32> kernels_;
};

}  // namespace nnrun::layers
