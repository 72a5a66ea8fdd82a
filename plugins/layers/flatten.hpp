#pragma once

#include <cstring>

#include "inputs.hpp"

namespace nnrun::layers {

// (N, H, W, C) -> (N, H * W * C): the same numbers in the same order, channels last. Copies only where the host could not
// give both sides the same memory.
struct Flatten {
  static constexpr auto name = "flatten";
  static constexpr auto doc = "joins all dimensions of a sample into one: (N, H, W, C) to (N, H * W * C)";

  void plan(Plan& p) {
    const Tensor input = p.input();
    element_ = element_bytes(input.dtype());
    p.output({p.batch(), input.columns()}, input.dtype());
    p.in_place();
  }

  void forward(const Run& r) const { copy(r, r.x(), r.y()); }

  void backward(const Run& r) const {
    if (r.input_gradient()) copy(r, r.dy(), r.dx());
  }

 private:
  static std::int64_t element_bytes(nnrun_dtype dtype) {
    switch (dtype) {
      case NNRUN_F32:
      case NNRUN_S32: return 4;
      case NNRUN_BF16: return 2;
      case NNRUN_U8:
      case NNRUN_S8: return 1;
    }
    throw Error("cannot flatten " + dtype_name(dtype));
  }

  void copy(const Run& r, const Tensor& from, const Tensor& to) const {
    const auto* source = from.data<const std::byte>();
    auto* target = to.data<std::byte>();
    if (source == target) return;
    r.parallel_elements(from.count(), [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(target + begin * element_, source + begin * element_, static_cast<std::size_t>((end - begin) * element_));
    });
  }

  std::int64_t element_ = 4;
};

}  // namespace nnrun::layers
