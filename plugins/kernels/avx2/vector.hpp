// Vectors of 8 floats, as the sources in ../simd/ name them.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define NNRUN_ISA_NAMESPACE nnrun_avx2  // what the sources in ../simd/ define their kernels in

namespace {

using Floats = __m256;
using Mask = __m256i;

constexpr int64_t lanes = 8;

// Tiles of C: rows x vectors accumulators, plus what is loaded, must fit the registers.
constexpr int tall_tile_rows = 6;    // 6 x 2 accumulators, 2 vectors of B, 1 of A
constexpr int single_tile_rows = 4;  // up to so many rows, a tile as wide as the registers allow, at least 3 vectors
constexpr int narrow_tile_rows = 8;  // 8 x 1
constexpr int widest_tile(int rows) { return rows == 1 ? 8 : rows == 2 ? 6 : rows == 3 ? 4 : rows == 4 ? 3 : rows <= 6 ? 2 : 1; }
constexpr int widest_passing_tile = 2;  // with enough rows for more multiply-adds than loads

constexpr int update_tile_rows = 6;  // of gradients that become steps of an optimizer

// Tiles of convolutions: pixels x vectors sums, a row of weights, and a number of the source.
constexpr int conv_tile_vectors = 2;
constexpr int conv_tile_pixels(int vectors) { return vectors == 2 ? 6 : 8; }
constexpr int conv_outer_elements(int vectors) { return vectors == 2 ? 6 : 12; }

// Convolutions of few channels, with a max-pool behind: 2 rows x pixels x vectors sums; filters whose gradients' sums are in registers.
constexpr int few_channels_pixels = 2;
constexpr int few_channels_vectors = 2;
constexpr int few_channels_filters = 2;
constexpr int few_channels_tiles = 1;  // of Winograd: tiles x vectors x 6 products

constexpr int depthwise_sums = 10;  // of taps, for the gradient of depthwise weights; 4 pixels' gradients have registers, too

inline Floats zero() { return _mm256_setzero_ps(); }
inline Floats all(float x) { return _mm256_set1_ps(x); }

// The first `count` lanes, count in 0..8.
inline Mask first(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline Mask difference(Mask a, Mask b) { return _mm256_andnot_si256(b, a); }  // a without b

inline Floats load(const float* p) { return _mm256_loadu_ps(p); }
inline Floats load(const float* p, Mask m) { return _mm256_maskload_ps(p, m); }
inline Floats load_into(Floats x, const float* p, Mask m) {  // p where m, x elsewhere
  return _mm256_blendv_ps(x, _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
inline void store(float* p, Floats x) { _mm256_storeu_ps(p, x); }
inline void store(float* p, Floats x, Mask m) { _mm256_maskstore_ps(p, m, x); }

inline Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
inline Floats divide(Floats a, Floats b) { return _mm256_div_ps(a, b); }
inline Floats square_root(Floats a) { return _mm256_sqrt_ps(a); }
inline Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }           // a * b + c
inline Floats fma_negated(Floats a, Floats b, Floats c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a * b

// Of two zeros, or where one is NaN: b.
inline Floats maximum(Floats a, Floats b) { return _mm256_max_ps(a, b); }
inline Floats minimum(Floats a, Floats b) { return _mm256_min_ps(a, b); }
inline Floats where_positive(Floats condition, Floats x) { return _mm256_and_ps(_mm256_cmp_ps(condition, zero(), _CMP_GT_OQ), x); }
// x where |x| >= least, or x is NaN; 0 elsewhere.
inline Floats where_at_least(Floats x, float least) {
  const Floats magnitude = _mm256_andnot_ps(all(-0.0f), x);
  return _mm256_and_ps(_mm256_cmp_ps(magnitude, all(least), _CMP_NLT_UQ), x);
}
inline Mask greater_or_nan(Floats a, Floats b) {  // a > b, or a is NaN
  return _mm256_castps_si256(_mm256_or_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ), _mm256_cmp_ps(a, a, _CMP_UNORD_Q)));
}
inline Floats where_equal(Floats a, float b, Floats x) { return _mm256_and_ps(_mm256_cmp_ps(a, all(b), _CMP_EQ_OQ), x); }
inline Floats select(Mask m, Floats yes, Floats no) { return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(m)); }

// Lane i is lane from[i] of a, or, where from[i] >= lanes, lane from[i] - lanes of b.
using LaneNumbers = __m256i;
inline LaneNumbers lane_numbers(const int32_t (&from)[lanes]) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
inline Floats pick(Floats a, Floats b, LaneNumbers from) {
  const __m256 of_b = _mm256_castsi256_ps(_mm256_slli_epi32(from, 28));  // bit 3 where a blend looks
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(a, from), _mm256_permutevar8x32_ps(b, from), of_b);
}

inline Mask greater(Floats a, Floats b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_GT_OQ)); }

inline Floats round_down(Floats x) { return _mm256_floor_ps(x); }
inline Floats round_to_integer(Floats x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

// x * 2^exponent, for whole exponents in -250..250: in two factors, so that results below the normal range come out too.
inline Floats times_power_of_two(Floats x, Floats exponent) {
  const __m256i e = _mm256_cvtps_epi32(exponent);
  const __m256i half = _mm256_srai_epi32(e, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i a = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i b = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(e, half), bias), 23);
  return _mm256_mul_ps(_mm256_mul_ps(x, _mm256_castsi256_ps(a)), _mm256_castsi256_ps(b));
}

// Adds up 0 * x: 0 as long as all were finite, NaN from then on.
struct FiniteCheck {
  Floats seen = _mm256_setzero_ps();
  void add(Floats x) { seen = _mm256_fmadd_ps(x, _mm256_setzero_ps(), seen); }
  bool all_finite() const { return _mm256_movemask_ps(_mm256_cmp_ps(seen, seen, _CMP_UNORD_Q)) == 0; }
};

// Both in a fixed order.
inline float sum_of(Floats x) {
  const __m128 a = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 b = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
inline float largest_of(Floats x) {
  const __m128 a = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 b = _mm_max_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}

inline Floats from_bytes(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}

// The first `count` bytes only.
inline Floats from_bytes(const uint8_t* p, int64_t count) {
  if (count == lanes) return from_bytes(p);
  uint8_t bytes[lanes] = {};
  for (int64_t i = 0; i < count; ++i) bytes[i] = p[i];
  return from_bytes(bytes);
}
// Whole numbers in 0..255, the first `count` of them.
inline void to_bytes(uint8_t* p, Floats x, int64_t count) {
  const __m256i numbers = _mm256_cvtps_epi32(x);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
  if (count == lanes) return _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
  uint8_t bytes[lanes];
  _mm_storel_epi64(reinterpret_cast<__m128i*>(bytes), _mm_packus_epi16(words, words));
  for (int64_t i = 0; i < count; ++i) p[i] = bytes[i];
}

using Bytes = __m128i;  // a vector of them has a byte a lane

// The first `count` bytes of p, `otherwise` behind them.
inline Bytes load_bytes(const uint8_t* p, int64_t count, char otherwise) {
  if (count == lanes) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  alignas(16) uint8_t bytes[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), _mm_set1_epi8(otherwise));
  for (int64_t i = 0; i < count; ++i) bytes[i] = p[i];
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}
inline Mask equal(Bytes a, char b) { return _mm256_cvtepi8_epi32(_mm_cmpeq_epi8(a, _mm_set1_epi8(b))); }

// x[i] lane j becomes x[j] lane i.
inline void transpose(Floats (&x)[8]) {
  Floats t[8];
  for (int i = 0; i < 8; i += 4) {  // 4 x 4 inside each 128-bit lane
    const Floats a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
    const Floats c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
  for (int i = 0; i < 4; ++i) {  // then 2 x 2 of whole 128-bit lanes
    x[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    x[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}

}  // namespace
