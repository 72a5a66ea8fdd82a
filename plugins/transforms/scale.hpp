#pragma once

#include "../common/text.hpp"

namespace nnrun::transforms {

// y = x / divide_by as f32, of bytes or of f32; computed as x * (1 / divide_by), the reciprocal rounded to float.
struct Scale {
  static constexpr auto name = "scale";
  static constexpr auto doc = "divides every number, and turns bytes into f32";
  static constexpr bool augments = false;

  double divide_by = 255;

  static constexpr auto params() {
    return schema(param<&Scale::divide_by>("divide_by", "what every number is divided by; 255 brings bytes to 0..1").above(0));
  }

  nnrun_tensor plan(const Host& host, const Tensor& input) {
    if (input.dtype() != NNRUN_U8 && input.dtype() != NNRUN_F32) throw Error("takes u8 or f32, got " + dtype_name(input.dtype()));
    if (input.dtype() == NNRUN_U8) kernel_ = {host, arguments(input.count())};
    return make_tensor(NNRUN_F32, input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key&, bool) const {
    nnrun_u8_to_f32 a = arguments(x.count());
    if (x.dtype() == NNRUN_U8) {
      a.x = x.data<const std::uint8_t>();
      a.y = y.data();
      kernel_.serial(a);
      return;
    }
    for (std::int64_t i = 0; i < a.count; ++i) y[i] = x[i] * a.scale;
  }

 private:
  nnrun_u8_to_f32 arguments(std::int64_t count) const {
    nnrun_u8_to_f32 a{};
    a.count = count;
    a.scale = static_cast<float>(1.0 / divide_by);
    return a;
  }

  Kernel<nnrun_u8_to_f32> kernel_;
};

}  // namespace nnrun::transforms
