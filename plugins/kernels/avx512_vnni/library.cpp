// Products of bytes with signed bytes where the CPU adds up four of them at once (VNNI's vpdpbusd). A library of its own, since not every
// CPU with AVX-512 has it.
#include "../avx512/sums.hpp"
#include "../avx512/vector.hpp"
#undef NNRUN_ISA_NAMESPACE
#define NNRUN_ISA_NAMESPACE nnrun_avx512_vnni

#include "../common/integers.hpp"
#include "../common/library.hpp"

namespace NNRUN_ISA_NAMESPACE {

template <class Kind>
struct Vectors;

template <>
struct Vectors<S8> {
  using Sum = __m512i;
  static constexpr int64_t width = 64;
  static Sum zero() { return _mm512_setzero_si512(); }
  // In place by hand: GCC 12 copies the sum to another register and back around the intrinsic, at half the speed.
  static Sum multiply_add(Sum sum, __m512i x, __m512i w) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
    return sum;
  }
  static Sum add(Sum sum, const uint8_t* x, const int8_t* w) { return multiply_add(sum, _mm512_loadu_si512(x), _mm512_loadu_si512(w)); }
  static Sum add(Sum sum, const uint8_t* x, const int8_t* w, int64_t count) {
    const __mmask64 some = (uint64_t{1} << static_cast<unsigned>(count)) - 1;
    return multiply_add(sum, _mm512_maskz_loadu_epi8(some, x), _mm512_maskz_loadu_epi8(some, w));
  }
  static int32_t total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
  static void totals(const Sum (&sums)[4], int32_t* to) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), four_totals(sums)); }
};

}  // namespace NNRUN_ISA_NAMESPACE

#include "../simd/fixed_products.hpp"

namespace NNRUN_ISA_NAMESPACE {

NNRUN_INTEGER_PRODUCTS(s8, S8)

namespace {

constexpr int32_t score = 600;
constexpr const char* gathered_name = "windows gathered";

constexpr nnrun_kernel kernels[] = {
    NNRUN_TABLE_ENTRY(matmul_s8, score),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_s8, gathered, score, gathered_name, 0),
};

}  // namespace

}  // namespace NNRUN_ISA_NAMESPACE

NNRUN_KERNEL_LIBRARY("avx512_vnni", "bytes times signed bytes, four a lane", "avx512f avx512vl avx512bw avx512dq avx512_vnni",
                     NNRUN_ISA_NAMESPACE::kernels)
