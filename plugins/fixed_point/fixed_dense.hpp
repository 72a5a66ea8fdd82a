#pragma once

#include "arithmetic.hpp"

namespace nnrun::fixed_point {

// x is (N, in), weights are (units, in), bias is (units), y is (N, units) s32: see nnrun_matmul_... in <nnrun/fixed_kernels.h>.
struct FixedDense {
  static constexpr auto name = "fixed_dense";
  static constexpr auto doc = "fully connected layer of integers, as a quantizer makes it";

  std::int64_t units = 0;
  std::string arithmetic;
  std::int64_t shift = 0;
  bool bias = true;

  static constexpr auto params() {
    return schema(param<&FixedDense::units>("units", "number of outputs a sample").required().at_least(1),
                  param<&FixedDense::arithmetic>("arithmetic", arithmetic_doc).choices(arithmetic_words).required(),
                  param<&FixedDense::shift>("shift", "of s32: bits that sums are shifted right by").range(0, 31),
                  param<&FixedDense::bias>("bias", "whether a bias is added to each sum"));
  }

  void plan(Plan& p) {
    kind_ = arithmetic_of(arithmetic);
    const Tensor input = p.input();
    if (input.rank() != 2) throw Error("takes (N, features), got " + sample_shape(input) + ": put `flatten` before it");
    require_dtype(input, input_dtype(kind_));
    depth_ = input.dim(1);
    p.output({p.batch(), units}, NNRUN_S32);
    weights_ = p.integers("weights", weight_dtype(kind_), {units, depth_});
    if (bias) bias_ = p.integers("bias", NNRUN_S32, {units});
    p.cost(2.0 * static_cast<double>(p.batch()) * static_cast<double>(units) * static_cast<double>(depth_), 0);
    with_matmul(kind_, [&]<class A>(Of<A>) {
      kernels_.of<A>() = p.kernel(arguments<A>(p.batch()));
      scratch_ = p.scratch(kernels_.of<A>().workspace(arguments<A>(p.batch())));
    });
  }

  void forward(const Run& r) const {
    with_matmul(kind_, [&]<class A>(Of<A>) {
      A a = arguments<A>(r.batch());
      set_pointers(a, r, weights_, bias_);
      kernels_.of<A>()(a, r.scratch<void>(scratch_));
    });
  }

 private:
  template <class A>
  A arguments(std::int64_t batch) const {
    A a{};
    a.rows = batch;
    a.features = units;
    a.depth = depth_;
    a.has_bias = bias ? 1 : 0;
    if constexpr (requires { a.shift; }) a.shift = static_cast<std::int32_t>(shift);
    return a;
  }

  Arithmetic kind_ = Arithmetic::q16;
  std::int64_t depth_ = 0;
  int weights_ = 0, bias_ = 0, scratch_ = 0;
  Kernels<nnrun_matmul_q16, nnrun_matmul_q16_low, nnrun_matmul_s32, nnrun_matmul_s8> kernels_;
};

}  // namespace nnrun::fixed_point
