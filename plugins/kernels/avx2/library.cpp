#include "../simd/entries.hpp"

using namespace nnrun_avx2;

namespace {

constexpr int32_t score = 200;

constexpr nnrun_kernel kernels[] = {NNRUN_SIMD_ENTRIES(score)};

}  // namespace

NNRUN_KERNEL_LIBRARY("avx2", "256-bit vectors and FMA", "avx2 fma", kernels)
