// 32-bit sums to bytes: products of 64 bits, of even places and of odd ones.
#include <integer_kernels.hpp>

#include "../common/integers.hpp"
#include "vector.hpp"

namespace NNRUN_ISA_NAMESPACE {

namespace {

// Sixteen results below 256, each in 32 bits.
inline __m512i requantized(__m512i x, __m512i multiplier, __m512i shift) {
  const __m512i low = _mm512_set1_epi64(0xffffffff);
  __m512i even = _mm512_srav_epi64(_mm512_mul_epi32(x, multiplier), _mm512_and_si512(shift, low));
  __m512i odd =
      _mm512_srav_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(multiplier, 32)), _mm512_srli_epi64(shift, 32));
  const __m512i most = _mm512_set1_epi64(255);
  even = _mm512_min_epi64(_mm512_max_epi64(even, _mm512_setzero_si512()), most);
  odd = _mm512_min_epi64(_mm512_max_epi64(odd, _mm512_setzero_si512()), most);
  return _mm512_or_si512(even, _mm512_slli_epi64(odd, 32));
}

}  // namespace

void requantize_work(const nnrun_requantize& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_per_range(a.columns))); }

void requantize_run(const nnrun_requantize& a, void*, uint32_t, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_per_range(a.columns), range);
  __m512i multiplier = _mm512_set1_epi32(*a.multiplier), shift = _mm512_set1_epi32(*a.shift);
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    for (int64_t j = 0; j < a.columns; j += 16) {
      const __mmask16 some = first(smaller(16, a.columns - j));
      if (a.per_column) {
        multiplier = _mm512_maskz_loadu_epi32(some, a.multiplier + j);
        shift = _mm512_maskz_loadu_epi32(some, a.shift + j);
      }
      const __m512i x = _mm512_maskz_loadu_epi32(some, a.x + i * a.columns + j);
      _mm_mask_storeu_epi8(a.y + i * a.columns + j, some, _mm512_cvtepi32_epi8(requantized(x, multiplier, shift)));
    }
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
