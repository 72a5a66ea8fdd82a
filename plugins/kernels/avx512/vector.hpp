// Vectors of 16 floats, as the sources in ../simd/ name them.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define NNRUN_ISA_NAMESPACE nnrun_avx512  // what the sources in ../simd/ define their kernels in

namespace {

using Floats = __m512;
using Mask = __mmask16;

constexpr int64_t lanes = 16;

// Which lanes a tile of C may use: rows x vectors accumulators, plus what it loads, must fit the registers.
constexpr int tall_tile_rows = 14;    // 14 x 2 accumulators, 2 vectors of B, 1 of A
constexpr int single_tile_rows = 9;   // up to so many rows, a tile as wide as the registers allow, at least 3 vectors
constexpr int narrow_tile_rows = 14;  // 14 x 1
constexpr int widest_tile(int rows) {
  return rows == 1 ? 16 : rows <= 3 ? 8 : rows == 4 ? 6 : rows == 5 ? 5 : rows == 6 ? 4 : rows <= 9 ? 3 : 2;
}
constexpr int widest_passing_tile = 6;  // with enough rows for more multiply-adds than loads

constexpr int update_tile_rows = 12;  // of gradients that become steps of an optimizer: there are registers for these steps, too

// Tiles of convolutions: pixels x vectors sums, a row of weights, and a number of the source. The pixels' addresses have registers too.
constexpr int conv_tile_vectors = 4;
constexpr int conv_tile_pixels(int vectors) { return vectors == 4 ? 6 : 8; }
constexpr int conv_outer_elements(int vectors) { return vectors == 4 ? 6 : vectors == 3 ? 8 : 14; }

// Convolutions of few channels, with a max-pool behind: 2 rows x pixels x vectors sums; filters whose gradients' sums are in registers.
constexpr int few_channels_pixels = 6;
constexpr int few_channels_vectors = 2;
constexpr int few_channels_filters = 8;
constexpr int few_channels_tiles = 2;  // of Winograd: tiles x vectors x 6 products

constexpr int depthwise_sums = 16;  // of taps, for the gradient of depthwise weights; 8 pixels' gradients have registers, too

inline Floats zero() { return _mm512_setzero_ps(); }
inline Floats all(float x) { return _mm512_set1_ps(x); }

// The first `count` lanes, count in 0..16.
inline Mask first(int64_t count) { return static_cast<Mask>((1u << static_cast<unsigned>(count)) - 1u); }

inline Mask difference(Mask a, Mask b) { return static_cast<Mask>(a & ~b); }  // a without b

inline Floats load(const float* p) { return _mm512_loadu_ps(p); }
inline Floats load(const float* p, Mask m) { return _mm512_maskz_loadu_ps(m, p); }
inline Floats load_into(Floats x, const float* p, Mask m) { return _mm512_mask_loadu_ps(x, m, p); }  // p where m, x elsewhere
inline void store(float* p, Floats x) { _mm512_storeu_ps(p, x); }
inline void store(float* p, Floats x, Mask m) { _mm512_mask_storeu_ps(p, m, x); }

inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats divide(Floats a, Floats b) { return _mm512_div_ps(a, b); }
inline Floats square_root(Floats a) { return _mm512_sqrt_ps(a); }
inline Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }           // a * b + c
inline Floats fma_negated(Floats a, Floats b, Floats c) { return _mm512_fnmadd_ps(a, b, c); }  // c - a * b

// Of two zeros, or where one is NaN: b.
inline Floats maximum(Floats a, Floats b) { return _mm512_max_ps(a, b); }
inline Floats minimum(Floats a, Floats b) { return _mm512_min_ps(a, b); }
inline Floats where_positive(Floats condition, Floats x) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(condition, zero(), _CMP_GT_OQ), x);
}
// x where |x| >= least, or x is NaN; 0 elsewhere.
inline Floats where_at_least(Floats x, float least) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_abs_ps(x), all(least), _CMP_NLT_UQ), x);
}
inline Mask greater_or_nan(Floats a, Floats b) {  // a > b, or a is NaN
  return static_cast<Mask>(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) | _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q));
}
inline Floats where_equal(Floats a, float b, Floats x) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, all(b), _CMP_EQ_OQ), x); }
inline Floats select(Mask m, Floats yes, Floats no) { return _mm512_mask_blend_ps(m, no, yes); }

// Lane i is lane from[i] of a, or, where from[i] >= lanes, lane from[i] - lanes of b.
using LaneNumbers = __m512i;
inline LaneNumbers lane_numbers(const int32_t (&from)[lanes]) { return _mm512_loadu_si512(from); }
inline Floats pick(Floats a, Floats b, LaneNumbers from) { return _mm512_permutex2var_ps(a, from, b); }

inline Mask greater(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }

inline Floats round_down(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
inline Floats round_to_integer(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Floats times_power_of_two(Floats x, Floats exponent) { return _mm512_scalef_ps(x, exponent); }

// x - x is 0, or NaN where x is not finite: additions have execution units of their own beside those of multiply-adds.
struct FiniteCheck {
  Floats seen = _mm512_setzero_ps();
  void add(Floats x) { seen = _mm512_add_ps(seen, _mm512_sub_ps(x, x)); }
  bool all_finite() const { return _mm512_cmp_ps_mask(seen, seen, _CMP_UNORD_Q) == 0; }
};

// Both in a fixed order.
inline float sum_of(Floats x) { return _mm512_reduce_add_ps(x); }
inline float largest_of(Floats x) { return _mm512_reduce_max_ps(x); }

inline Floats from_bytes(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}

// The first `count` bytes only.
inline Floats from_bytes(const uint8_t* p, int64_t count) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first(count), p)));
}
// Whole numbers in 0..255, the first `count` of them.
inline void to_bytes(uint8_t* p, Floats x, int64_t count) { _mm512_mask_cvtepi32_storeu_epi8(p, first(count), _mm512_cvtps_epi32(x)); }

using Bytes = __m128i;  // a vector of them has a byte a lane

// The first `count` bytes of p, `otherwise` behind them.
inline Bytes load_bytes(const uint8_t* p, int64_t count, char otherwise) {
  return _mm_mask_loadu_epi8(_mm_set1_epi8(otherwise), first(count), p);
}
inline Mask equal(Bytes a, char b) { return _mm_cmpeq_epi8_mask(a, _mm_set1_epi8(b)); }

// x[i] lane j becomes x[j] lane i.
inline void transpose(Floats (&x)[16]) {
  Floats t[16];
  for (int i = 0; i < 16; i += 4) {  // 4 x 4 inside each 128-bit lane
    const Floats a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
    const Floats c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
    t[i] = _mm512_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
  }
  for (int i = 0; i < 4; ++i) {  // then 4 x 4 of whole 128-bit lanes
    const Floats a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x44), b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xee);
    const Floats c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x44), d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xee);
    x[i] = _mm512_shuffle_f32x4(a, c, 0x88);
    x[i + 4] = _mm512_shuffle_f32x4(a, c, 0xdd);
    x[i + 8] = _mm512_shuffle_f32x4(b, d, 0x88);
    x[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}

}  // namespace
