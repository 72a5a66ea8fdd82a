// What the products of fixed-point layers can be, and what they check of their inputs.
#pragma once

#include "../common/text.hpp"

namespace nnrun::fixed_point {

inline constexpr const char* const arithmetic_words[] = {"q16", "q16_low", "s32", "s8", nullptr};
// q16: numbers in Q16.16, sums in 64 bits; q16_low: the same with products cut to 32 bits; s32: plain integers, the sum shifted by `shift`;
// s8: bytes times signed bytes.
inline constexpr const char* arithmetic_doc = "q16 (sums of 64 bits), q16_low (products of 32 bits), s32 (shifted by `shift`), s8 (bytes)";

enum class Arithmetic {
  q16,
  q16_low,
  s32,
  s8
};

inline Arithmetic arithmetic_of(const std::string& word) {
  return word == "q16" ? Arithmetic::q16 : word == "q16_low" ? Arithmetic::q16_low : word == "s32" ? Arithmetic::s32 : Arithmetic::s8;
}

inline nnrun_dtype input_dtype(Arithmetic arithmetic) { return arithmetic == Arithmetic::s8 ? NNRUN_U8 : NNRUN_S32; }
inline nnrun_dtype weight_dtype(Arithmetic arithmetic) { return arithmetic == Arithmetic::s8 ? NNRUN_S8 : NNRUN_S32; }

inline void require_dtype(const Tensor& input, nnrun_dtype dtype) {
  if (input.dtype() == dtype) return;
  throw Error("takes " + dtype_name(dtype) + " numbers, got " + dtype_name(input.dtype()) +
              ": nets in fixed point are made by `nnrun quantize`, or by `quantize` in a config");
}

// Names a type to a generic lambda.
template <class Arguments>
struct Of {
  using Type = Arguments;
};

// body(Of<the arguments of the arithmetic's matrix product>)
template <class Body>
void with_matmul(Arithmetic arithmetic, Body&& body) {
  switch (arithmetic) {
    case Arithmetic::q16: return body(Of<nnrun_matmul_q16>());
    case Arithmetic::q16_low: return body(Of<nnrun_matmul_q16_low>());
    case Arithmetic::s32: return body(Of<nnrun_matmul_s32>());
    case Arithmetic::s8: return body(Of<nnrun_matmul_s8>());
  }
}

template <class Body>
void with_conv2d(Arithmetic arithmetic, Body&& body) {
  switch (arithmetic) {
    case Arithmetic::q16: return body(Of<nnrun_conv2d_q16>());
    case Arithmetic::q16_low: return body(Of<nnrun_conv2d_q16_low>());
    case Arithmetic::s32: return body(Of<nnrun_conv2d_s32>());
    case Arithmetic::s8: return body(Of<nnrun_conv2d_s8>());
  }
}

// One kernel of each arithmetic; only one of them is set.
template <class... Arguments>
struct Kernels : Kernel<Arguments>... {
  template <class A>
  Kernel<A>& of() {
    return *this;
  }
  template <class A>
  const Kernel<A>& of() const {
    return *this;
  }
};

template <class Arguments>
void set_pointers(Arguments& a, const Run& r, int weights, int bias) {
  a.x = r.x().data<std::remove_pointer_t<decltype(a.x)>>();
  a.weights = r.state(weights).data<std::remove_pointer_t<decltype(a.weights)>>();
  a.bias = a.has_bias ? r.state(bias).data<const std::int32_t>() : nullptr;
  a.y = r.y().data<std::int32_t>();
}

}  // namespace nnrun::fixed_point
