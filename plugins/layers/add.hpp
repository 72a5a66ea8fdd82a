#pragma once

#include <algorithm>

#include "inputs.hpp"

namespace nnrun::layers {

// y = x + z, where z is the output of the layer named by `with`: what residual connections end in (He et al. 2016). Both gradients
// are dy.
struct Add {
  static constexpr auto name = "add";
  static constexpr auto doc = "adds the output of an earlier layer, of the same shape (a residual connection)";

  Reference with;

  static constexpr auto params() { return schema(param<&Add::with>("with", "the `name:` of the layer whose output is added").required()); }

  void plan(Plan& p) {
    const Tensor x = p.input(), z = p.input(1);
    require_f32(x);
    require_f32(z);
    if (x.shape() != z.shape()) {
      throw Error("adds two outputs of one shape, got " + sample_shape(x) + " from the layer before and " + sample_shape(z) + " from '" +
                  with.layer + "'")
          .at("with");
    }
    p.output(x);
    const auto count = static_cast<double>(x.count());
    p.cost(count, count);
  }

  void forward(const Run& r) const {
    const float* x = r.x().data();
    const float* z = r.x(1).data();
    float* y = r.y().data();
    r.parallel_elements(r.y().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] + z[i];
    });
  }

  void backward(const Run& r) const {
    if (!r.input_gradient()) return;
    const float* dy = r.dy().data();
    float* dx = r.dx().data();
    float* dz = r.dx(1).data();
    r.parallel_elements(r.dy().count(), [&](std::int64_t begin, std::int64_t end) {
      if (dx != dy) std::copy(dy + begin, dy + end, dx + begin);
      if (dz != dy) std::copy(dy + begin, dy + end, dz + begin);
    });
  }
};

}  // namespace nnrun::layers
