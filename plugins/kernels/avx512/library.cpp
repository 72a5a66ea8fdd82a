#include "../simd/entries.hpp"

using namespace nnrun_avx512;

namespace nnrun_avx512 {

NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_backward_data_f32, sparse)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_backward_weights_f32, sparse)

}  // namespace nnrun_avx512

namespace {

constexpr int32_t score = 500;

constexpr nnrun_kernel kernels[] = {
    NNRUN_SIMD_ENTRIES(score),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_backward_data_f32, sparse, score + 50, "sparse", 0),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_backward_weights_f32, sparse, score + 50, "sparse", 0),
};

}  // namespace

NNRUN_KERNEL_LIBRARY("avx512", "512-bit vectors", "avx512f avx512vl avx512bw avx512dq avx2 fma", kernels)
