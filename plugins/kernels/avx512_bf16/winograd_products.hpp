// Winograd's matrix products of bfloat16 pairs, with their sums in f32 (vdpbf16ps).
#pragma once

#include "../simd/prefetch.hpp"
#include "../simd/strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

using Operand = uint16_t;  // the upper half of a float
constexpr int64_t operands_together = 2;
constexpr int64_t product_rows = 6;

inline __m512i bits_of(__m256bh x) { return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(x)); }

inline void store_operands(Operand* to, Floats x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
}

// Of two source channels, side by side for each target channel.
inline void store_weights(Operand* to, const Floats (&weights)[operands_together]) {
  const __m512i first = bits_of(_mm512_cvtneps_pbh(weights[0])), second = bits_of(_mm512_cvtneps_pbh(weights[1]));
  _mm512_storeu_si512(to, _mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
}

template <int rows, int vectors>
void multiply_pairs(const Operand* sources, int64_t source_stride, const Operand* weights, int64_t width, int64_t pairs,
                    const Operand* next_weights, float* products) {
  Floats sum[rows][vectors];
  repeat<rows>([&](auto i) { repeat<vectors>([&](auto v) __attribute__((always_inline)) { sum[i][v] = zero(); }); });
  for (int64_t pair = 0; pair < pairs; ++pair, sources += 2, weights += 2 * width, next_weights += 2 * width) {
    __m512i weight[vectors];
    repeat<vectors>([&](auto v) __attribute__((always_inline)) { weight[v] = _mm512_loadu_si512(weights + 2 * v * lanes); });
    const Operand* source = sources;
    repeat<rows>([&](auto i) __attribute__((always_inline)) {
      int32_t bits;
      __builtin_memcpy(&bits, source, sizeof bits);
      const __m512i factor = _mm512_set1_epi32(bits);
      repeat<vectors>([&](auto v) __attribute__((always_inline)) {
        sum[i][v] = _mm512_dpbf16_ps(sum[i][v], reinterpret_cast<__m512bh>(factor), reinterpret_cast<__m512bh>(weight[v]));
      });
      source += source_stride;
      asm("" : "+r"(source));
    });
    if (pair % 2 == 0)
      repeat<vectors>([&](auto v) __attribute__((always_inline)) { __builtin_prefetch(next_weights + 2 * v * lanes, 0, 2); });
  }
  repeat<rows>(
      [&](auto i) { repeat<vectors>([&](auto v) __attribute__((always_inline)) { store(products + i * width + v * lanes, sum[i][v]); }); });
}

// As winograd_products_f32.hpp has it.
class Products {
 public:
  Products(int64_t width, int64_t source_stride, int64_t depth) : width_(width), source_stride_(source_stride), pairs_((depth + 1) / 2) {}

  void operator()(int64_t tiles, const Operand* sources, const Operand* weights, const Operand* next_weights, float* products) const {
    functions[tiles - 1][width_ / lanes - 1](sources, source_stride_, weights, width_, pairs_, next_weights, products);
  }

 private:
  using Function = void (*)(const Operand*, int64_t, const Operand*, int64_t, int64_t, const Operand*, float*);
  template <int rows>
  struct Row {
    static constexpr Function of[] = {multiply_pairs<rows, 1>, multiply_pairs<rows, 2>, multiply_pairs<rows, 3>, multiply_pairs<rows, 4>};
  };
  static constexpr const Function* functions[product_rows] = {Row<1>::of, Row<2>::of, Row<3>::of, Row<4>::of, Row<5>::of, Row<6>::of};
  static_assert(conv_tile_vectors == 4);

  int64_t width_, source_stride_, pairs_;
};

}  // namespace
}  // namespace NNRUN_ISA_NAMESPACE
