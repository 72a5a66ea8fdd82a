// Windows that slide over pictures, as convolutions and pools share them.
#pragma once

#include <algorithm>

#include "inputs.hpp"

namespace nnrun::layers {

inline constexpr const char* const padding_words[] = {"valid", "same", nullptr};
// `same` with a stride is TensorFlow's: output = input / stride, rounded up; of an odd number of zeros, the odd one comes at the end.
inline constexpr const char* padding_doc =
    "zeros around: valid (none), same (output = input / stride), or pixels: one number, [height, width], [top, bottom, left, right]";
inline constexpr const char* pool_padding_doc =
    "uncounted border: valid (none), same (output = input / stride), or pixels: one number, [height, width], [top, bottom, left, right]";
inline constexpr const char* const pool_stride_words[] = {"size", nullptr};

// Of pools, whose windows lie side by side unless a stride is given.
template <class Pool>
constexpr auto pool_params() {
  return schema(
      param<&Pool::size>("size", "size of the windows: one number, or [height, width]").required().range(1, 1 << 16).items(1, 2),
      param<&Pool::stride>("stride", "pixels from one window to the next: size (side by side), one number, or [vertical, horizontal]")
          .choices(pool_stride_words)
          .range(1, 1 << 16)
          .items(1, 2),
      param<&Pool::padding>("padding", pool_padding_doc).choices(padding_words).range(0, 1 << 16).items(1, 4));
}

struct WindowParameters {
  const std::vector<std::int64_t>& size;  // one number, or [height, width]; so are the next two
  const std::vector<std::int64_t>& stride;
  const std::vector<std::int64_t>& dilation;
  const IntegersOrWord& padding;
  const char* size_name;  // the parameter's, eg: "kernel"
};

inline std::string height_by_width(const std::int64_t (&size)[2]) { return std::to_string(size[0]) + " x " + std::to_string(size[1]); }

inline void require_picture_shape(const Tensor& input) {
  if (input.rank() == 4) return;
  throw Error("takes pictures, (N, height, width, channels), got " + sample_shape(input) +
              (input.rank() == 2 ? ": it must stand before `flatten`" : ""));
}

inline void require_picture(const Tensor& input) {
  require_f32(input);
  require_picture_shape(input);
}

// Zeros before and behind, on both axes.
struct Padding {
  std::int64_t before[2] = {0, 0}, behind[2] = {0, 0};
};

inline Padding padding_of(const IntegersOrWord& given, const nnrun_windows& w) {
  Padding padding;
  if (given.word == "same") {
    for (int axis = 0; axis < 2; ++axis) {
      const std::int64_t outputs = (w.input[axis] + w.stride[axis] - 1) / w.stride[axis];
      const std::int64_t reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
      const std::int64_t all = std::max<std::int64_t>(0, (outputs - 1) * w.stride[axis] + reach - w.input[axis]);
      padding.before[axis] = all / 2;
      padding.behind[axis] = all - all / 2;
    }
  } else if (given.word.empty()) {
    const std::vector<std::int64_t>& n = given.integers;
    if (n.size() == 3) throw Error("3 numbers are neither [height, width] nor [top, bottom, left, right]").at("padding");
    for (std::size_t axis = 0; axis < 2; ++axis) {
      padding.before[axis] = n.size() == 1 ? n[0] : n.size() == 2 ? n[axis] : n[2 * axis];
      padding.behind[axis] = n.size() == 1 ? n[0] : n.size() == 2 ? n[axis] : n[2 * axis + 1];
    }
  }
  return padding;
}

// For `input`, (N, height, width, channels).
inline nnrun_windows windows_of(const Tensor& input, const WindowParameters& parameters) {
  require_picture_shape(input);
  nnrun_windows w{};
  w.batch = input.dim(0);
  const auto of_axis = [](const std::vector<std::int64_t>& given, std::size_t axis) { return given[given.size() == 1 ? 0 : axis]; };
  for (std::size_t axis = 0; axis < 2; ++axis) {
    w.input[axis] = input.dim(axis + 1);
    w.kernel[axis] = of_axis(parameters.size, axis);
    w.stride[axis] = of_axis(parameters.stride, axis);
    w.dilation[axis] = of_axis(parameters.dilation, axis);
  }
  const Padding padding = padding_of(parameters.padding, w);
  std::int64_t padded[2], reach[2];
  for (int axis = 0; axis < 2; ++axis) {
    w.padding[axis] = padding.before[axis];
    padded[axis] = w.input[axis] + padding.before[axis] + padding.behind[axis];
    reach[axis] = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
    w.output[axis] = (padded[axis] - reach[axis]) / w.stride[axis] + 1;
  }
  if (reach[0] > padded[0] || reach[1] > padded[1]) {
    const bool dilated = reach[0] != w.kernel[0] || reach[1] != w.kernel[1];
    throw Error("a window of " + height_by_width(w.kernel) + (dilated ? ", dilated to " + height_by_width(reach) + "," : "") +
                " does not fit into the picture of " + height_by_width(padded) + " (padding included): take a smaller " +
                parameters.size_name + ", or `padding: same`")
        .at(parameters.size_name);
  }
  return w;
}

// The same for a smaller batch.
inline nnrun_windows with_batch(nnrun_windows windows, std::int64_t batch) {
  windows.batch = batch;
  return windows;
}

// Pools take nothing from the padding, so that each window must hold a place of the picture.
inline nnrun_windows pool_windows_of(const Tensor& input, const std::vector<std::int64_t>& size, const IntegersOrWord& stride,
                                     const IntegersOrWord& padding) {
  const std::vector<std::int64_t> one{1};
  const nnrun_windows w = windows_of(input, {size, stride.word.empty() ? stride.integers : size, one, padding, "size"});
  const Padding around = padding_of(padding, w);
  for (int axis = 0; axis < 2; ++axis) {
    if (std::max(around.before[axis], around.behind[axis]) < w.kernel[axis]) continue;
    throw Error("the padding must be less than the windows' size, " + height_by_width(w.kernel) +
                ": a window outside of the picture has nothing to take")
        .at("padding");
  }
  return w;
}

}  // namespace nnrun::layers
