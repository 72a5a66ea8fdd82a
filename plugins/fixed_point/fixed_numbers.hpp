// Layers that change the kind of number: into fixed point, from one to another, and out of it.
#pragma once

#include "arithmetic.hpp"

#include <algorithm>
#include <cmath>

namespace nnrun::fixed_point {

inline constexpr const char* const number_words[] = {"u8", "s32", nullptr};

// y = floor(x * scale + offset), brought to minimum..maximum; NaN becomes the minimum. In float: one multiplication, one addition.
struct FixedInput {
  static constexpr auto name = "fixed_input";
  static constexpr auto doc = "floats to integers: y = floor(x * scale + offset), brought into a range";

  std::string type = "u8";
  float scale = 255;
  float offset = 0.5f;
  std::int64_t minimum = 0;
  std::int64_t maximum = 255;

  static constexpr auto params() {
    return schema(param<&FixedInput::type>("type", "u8 (0..255) or s32").choices(number_words),
                  param<&FixedInput::scale>("scale", "what each number is multiplied by").above(0),
                  param<&FixedInput::offset>("offset", "what is added then; 0.5 rounds to the nearest"),
                  param<&FixedInput::minimum>("minimum", "of s32: smaller numbers become this").range(-(1 << 24), 1 << 24),
                  param<&FixedInput::maximum>("maximum", "of s32: larger numbers become this").range(-(1 << 24), 1 << 24));
  }

  void plan(Plan& p) {
    require_dtype(p.input(), NNRUN_F32);
    bytes_ = type == "u8";
    p.output(p.input().shape(), bytes_ ? NNRUN_U8 : NNRUN_S32);
    if (bytes_) kernel_ = p.kernel(arguments(p.input().count()));
  }

  void forward(const Run& r) const {
    const float* x = r.x().data();
    if (bytes_) {
      nnrun_f32_to_u8 a = arguments(r.x().count());
      a.x = x;
      a.y = r.y().data<std::uint8_t>();
      kernel_(a);
      return;
    }
    auto* y = r.y().data<std::int32_t>();
    const auto smallest = static_cast<float>(minimum), largest = static_cast<float>(maximum);
    r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float product = x[i] * scale;
        const float number = std::floor(product + offset);
        y[i] = static_cast<std::int32_t>(number >= largest ? largest : number >= smallest ? number : smallest);
      }
    });
  }

 private:
  nnrun_f32_to_u8 arguments(std::int64_t count) const {
    nnrun_f32_to_u8 a{};
    a.count = count;
    a.scale = scale;
    a.offset = offset;
    return a;
  }

  bool bytes_ = true;
  Kernel<nnrun_f32_to_u8> kernel_;
};

// y = x * factor, u8 to s32: pixels times 257 are Q16.16 numbers from 0 to 65535 / 65536.
struct FixedWiden {
  static constexpr auto name = "fixed_widen";
  static constexpr auto doc = "bytes to 32-bit integers, times a factor";

  std::int64_t factor = 257;

  static constexpr auto params() {
    return schema(param<&FixedWiden::factor>("factor", "what each byte is multiplied by").range(1, 1 << 16));
  }

  void plan(Plan& p) {
    require_dtype(p.input(), NNRUN_U8);
    p.output(p.input().shape(), NNRUN_S32);
    kernel_ = p.kernel(arguments(p.input().count()));
  }

  void forward(const Run& r) const {
    nnrun_u8_to_s32 a = arguments(r.x().count());
    a.x = r.x().data<const std::uint8_t>();
    a.y = r.y().data<std::int32_t>();
    kernel_(a);
  }

 private:
  nnrun_u8_to_s32 arguments(std::int64_t count) const {
    nnrun_u8_to_s32 a{};
    a.count = count;
    a.factor = static_cast<std::int32_t>(factor);
    return a;
  }

  Kernel<nnrun_u8_to_s32> kernel_;
};

// y = floor(x * multiplier / 2^shift), brought to 0..255; multiplier and shift are (channels), or (1). A number below 0 becomes 0, so that
// a ReLU behind it has nothing left to do.
struct Requantize {
  static constexpr auto name = "requantize";
  static constexpr auto doc = "32-bit sums to bytes: y = floor(x * multiplier / 2^shift), brought to 0..255";

  bool per_channel = false;

  static constexpr auto params() {
    return schema(param<&Requantize::per_channel>("per_channel", "a multiplier and a shift for each channel, the last dimension"));
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_dtype(input, NNRUN_S32);
    channels_ = input.dim(input.rank() - 1);
    p.output(input.shape(), NNRUN_U8);
    multiplier_ = p.integers("multiplier", NNRUN_S32, {per_channel ? channels_ : 1});
    shift_ = p.integers("shift", NNRUN_S32, {per_channel ? channels_ : 1});
    kernel_ = p.kernel(arguments(input));
    scratch_ = p.scratch(kernel_.workspace(arguments(input)));
  }

  void forward(const Run& r) const {
    nnrun_requantize a = arguments(r.x());
    a.x = r.x().data<const std::int32_t>();
    a.multiplier = r.state(multiplier_).data<const std::int32_t>();
    a.shift = r.state(shift_).data<const std::int32_t>();
    a.y = r.y().data<std::uint8_t>();
    kernel_(a, r.scratch<void>(scratch_));
  }

 private:
  nnrun_requantize arguments(const Tensor& input) const {
    nnrun_requantize a{};
    a.rows = input.count() / channels_;
    a.columns = channels_;
    a.per_column = per_channel ? 1 : 0;
    return a;
  }

  std::int64_t channels_ = 1;
  int multiplier_ = 0, shift_ = 0, scratch_ = 0;
  Kernel<nnrun_requantize> kernel_;
};

// y = x * scale, s32 to f32: what losses, metrics and users take. Exact as long as |x| <= 2^24 and `scale` is a power of two.
struct FixedOutput {
  static constexpr auto name = "fixed_output";
  static constexpr auto doc = "32-bit integers to floats: y = x * scale";

  double scale = 1;

  static constexpr auto params() { return schema(param<&FixedOutput::scale>("scale", "what the number 1 stands for").above(0)); }

  void plan(Plan& p) {
    require_dtype(p.input(), NNRUN_S32);
    p.output(p.input().shape());
  }

  void forward(const Run& r) const {
    const auto* x = r.x().data<const std::int32_t>();
    float* y = r.y().data();
    for (std::int64_t i = 0; i < r.x().count(); ++i) y[i] = static_cast<float>(x[i] * scale);
  }
};

// y (N, 1) = the place of the largest number of each row of x (N, classes), the first of equal ones.
struct FixedArgmax {
  static constexpr auto name = "fixed_argmax";
  static constexpr auto doc = "which of a sample's integers is the largest, the first of equal ones";

  void plan(Plan& p) {
    const Tensor input = p.input();
    require_dtype(input, NNRUN_S32);
    if (input.rank() != 2) throw Error("takes (N, classes), got " + sample_shape(input) + ": put `flatten` before it");
    p.output({p.batch(), 1}, NNRUN_S32);
    kernel_ = p.kernel(arguments(input));
    scratch_ = p.scratch(kernel_.workspace(arguments(input)));
  }

  void forward(const Run& r) const {
    nnrun_argmax_s32 a = arguments(r.x());
    a.x = r.x().data<const std::int32_t>();
    a.y = r.y().data<std::int32_t>();
    kernel_(a, r.scratch<void>(scratch_));
  }

 private:
  static nnrun_argmax_s32 arguments(const Tensor& input) {
    nnrun_argmax_s32 a{};
    a.rows = input.rows();
    a.columns = input.columns();
    return a;
  }

  int scratch_ = 0;
  Kernel<nnrun_argmax_s32> kernel_;
};

}  // namespace nnrun::fixed_point
