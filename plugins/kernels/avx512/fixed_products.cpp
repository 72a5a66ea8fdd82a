// Integer products, sixteen 32-bit numbers or thirty-two bytes at a time.
#include "../common/integers.hpp"
#include "../simd/kernels.hpp"
#include "sums.hpp"

namespace NNRUN_ISA_NAMESPACE {

template <class Kind>
struct Vectors;

// Numbers of 32 bits, sixteen at a time.
struct Words {
  using Sum = __m512i;
  static constexpr int64_t width = 16;
  static Sum zero() { return _mm512_setzero_si512(); }
  static __m512i load(const int32_t* p) { return _mm512_loadu_si512(p); }
  static __m512i load(const int32_t* p, int64_t count) { return _mm512_maskz_loadu_epi32(first(count), p); }
};

template <>
struct Vectors<Q16> : Words {
  // Even places, then odd ones: there is a 64-bit product of every second number.
  static Sum add(Sum sum, __m512i x, __m512i w) {
    sum = _mm512_add_epi64(sum, _mm512_mul_epi32(x, w));
    return _mm512_add_epi64(sum, _mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(w, 32)));
  }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int64_t total(Sum sum) { return _mm512_reduce_add_epi64(sum); }
  static void totals(const Sum (&s)[4], int64_t* to) {
    const __m512i ab = _mm512_add_epi64(_mm512_unpacklo_epi64(s[0], s[1]), _mm512_unpackhi_epi64(s[0], s[1]));
    const __m512i cd = _mm512_add_epi64(_mm512_unpacklo_epi64(s[2], s[3]), _mm512_unpackhi_epi64(s[2], s[3]));
    const __m256i ab_half = _mm256_add_epi64(_mm512_castsi512_si256(ab), _mm512_extracti64x4_epi64(ab, 1));
    const __m256i cd_half = _mm256_add_epi64(_mm512_castsi512_si256(cd), _mm512_extracti64x4_epi64(cd, 1));
    const __m256i all =
        _mm256_add_epi64(_mm256_permute2x128_si256(ab_half, cd_half, 0x20), _mm256_permute2x128_si256(ab_half, cd_half, 0x31));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), all);
  }
};

template <>
struct Vectors<Q16Low> : Words {
  static Sum add(Sum sum, __m512i x, __m512i w) { return _mm512_add_epi32(sum, _mm512_srai_epi32(_mm512_mullo_epi32(x, w), 16)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int32_t total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), four_totals(sums)); }
};

template <>
struct Vectors<S32> : Words {
  static Sum add(Sum sum, __m512i x, __m512i w) { return _mm512_add_epi32(sum, _mm512_mullo_epi32(x, w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int32_t total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), four_totals(sums)); }
};

// Bytes as 16-bit numbers: products of bytes themselves (vpmaddubsw) would saturate. CPUs with VNNI have ../avx512_vnni.
template <>
struct Vectors<S8> {
  using Sum = __m512i;
  static constexpr int64_t width = 32;
  static Sum zero() { return _mm512_setzero_si512(); }
  static __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static __m256i load(const void* p, int64_t count) { return _mm256_maskz_loadu_epi8((1u << static_cast<unsigned>(count)) - 1u, p); }
  static Sum add(Sum sum, __m256i x, __m256i w) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_cvtepu8_epi16(x), _mm512_cvtepi8_epi16(w)));
  }
  static Sum add(Sum sum, const uint8_t* x, const int8_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const uint8_t* x, const int8_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int32_t total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), four_totals(sums)); }
};

}  // namespace NNRUN_ISA_NAMESPACE

#include "../simd/fixed_products.hpp"

namespace NNRUN_ISA_NAMESPACE {

NNRUN_INTEGER_PRODUCTS(q16, Q16)
NNRUN_INTEGER_PRODUCTS(q16_low, Q16Low)
NNRUN_INTEGER_PRODUCTS(s32, S32)
NNRUN_INTEGER_PRODUCTS(s8, S8)

}  // namespace NNRUN_ISA_NAMESPACE
