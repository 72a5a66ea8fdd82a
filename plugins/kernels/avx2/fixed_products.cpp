// Integer products, eight 32-bit numbers or sixteen bytes at a time.
#include "../common/integers.hpp"
#include "../simd/kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

template <class Kind>
struct Vectors;

// Numbers of 32 bits, eight at a time.
struct Words {
  using Sum = __m256i;
  static constexpr int64_t width = 8;
  static Sum zero() { return _mm256_setzero_si256(); }
  static __m256i load(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static __m256i load(const int32_t* p, int64_t count) { return _mm256_maskload_epi32(p, first(count)); }
  static int32_t total32(__m256i sum) {
    __m128i x = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
  }
  // Pairs are interleaved and added, so that one vector holds parts of all four.
  static void totals32(const __m256i (&s)[4], int32_t* to) {
    const __m256i ab = _mm256_add_epi32(_mm256_unpacklo_epi32(s[0], s[1]), _mm256_unpackhi_epi32(s[0], s[1]));
    const __m256i cd = _mm256_add_epi32(_mm256_unpacklo_epi32(s[2], s[3]), _mm256_unpackhi_epi32(s[2], s[3]));
    const __m256i all = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
  }
};

template <>
struct Vectors<Q16> : Words {
  // Even places, then odd ones: there is a 64-bit product of every second number.
  static Sum add(Sum sum, __m256i x, __m256i w) {
    sum = _mm256_add_epi64(sum, _mm256_mul_epi32(x, w));
    return _mm256_add_epi64(sum, _mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(w, 32)));
  }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int64_t total(Sum sum) {
    const __m128i x = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    return wrapping_add(int64_t{_mm_cvtsi128_si64(x)}, int64_t{_mm_extract_epi64(x, 1)});
  }
  static void totals(const Sum (&s)[4], int64_t* to) {
    const __m256i ab = _mm256_add_epi64(_mm256_unpacklo_epi64(s[0], s[1]), _mm256_unpackhi_epi64(s[0], s[1]));
    const __m256i cd = _mm256_add_epi64(_mm256_unpacklo_epi64(s[2], s[3]), _mm256_unpackhi_epi64(s[2], s[3]));
    const __m256i all = _mm256_add_epi64(_mm256_permute2x128_si256(ab, cd, 0x20), _mm256_permute2x128_si256(ab, cd, 0x31));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), all);
  }
};

template <>
struct Vectors<Q16Low> : Words {
  static Sum add(Sum sum, __m256i x, __m256i w) { return _mm256_add_epi32(sum, _mm256_srai_epi32(_mm256_mullo_epi32(x, w), 16)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int32_t total(Sum sum) { return total32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { totals32(sums, to); }
};

template <>
struct Vectors<S32> : Words {
  static Sum add(Sum sum, __m256i x, __m256i w) { return _mm256_add_epi32(sum, _mm256_mullo_epi32(x, w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const int32_t* x, const int32_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int32_t total(Sum sum) { return total32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { totals32(sums, to); }
};

// Bytes as 16-bit numbers: products of bytes themselves (vpmaddubsw) would saturate.
template <>
struct Vectors<S8> {
  using Sum = __m256i;
  static constexpr int64_t width = 16;
  static Sum zero() { return _mm256_setzero_si256(); }
  static __m128i load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static __m128i load(const void* p, int64_t count) {
    alignas(16) unsigned char bytes[16] = {};
    for (int64_t i = 0; i < count; ++i) bytes[i] = static_cast<const unsigned char*>(p)[i];
    return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
  }
  static Sum add(Sum sum, __m128i x, __m128i w) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(x), _mm256_cvtepi8_epi16(w)));
  }
  static Sum add(Sum sum, const uint8_t* x, const int8_t* w) { return add(sum, load(x), load(w)); }
  static Sum add(Sum sum, const uint8_t* x, const int8_t* w, int64_t count) { return add(sum, load(x, count), load(w, count)); }
  static int32_t total(Sum sum) { return Words::total32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { Words::totals32(sums, to); }
};

}  // namespace NNRUN_ISA_NAMESPACE

#include "../simd/fixed_products.hpp"

namespace NNRUN_ISA_NAMESPACE {

NNRUN_INTEGER_PRODUCTS(q16, Q16)
NNRUN_INTEGER_PRODUCTS(q16_low, Q16Low)
NNRUN_INTEGER_PRODUCTS(s32, S32)
NNRUN_INTEGER_PRODUCTS(s8, S8)

}  // namespace NNRUN_ISA_NAMESPACE
