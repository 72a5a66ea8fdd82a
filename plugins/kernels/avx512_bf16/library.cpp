#include "../simd/kernels.hpp"

using namespace nnrun_avx512_bf16;

namespace {

constexpr int32_t score = 545;  // above those of avx512 that do the same, below those that look at less
constexpr const char* name = "Winograd in bf16";
// Of the magnitudes that are summed up. A tile's results share its products, so the error of each comes from all 36 numbers of the tile, of
// which F(4 x 4, 3 x 3) multiplies some by 5 and 8 before they are rounded to 8 bits.
constexpr double bound = 0.3;

constexpr nnrun_kernel kernels[] = {
    NNRUN_BF16_TABLE_ENTRY(conv2d_forward_f32, winograd, score, name, bound),
    NNRUN_BF16_TABLE_ENTRY(conv2d_backward_data_f32, winograd, score, name, bound),
    NNRUN_BF16_TABLE_ENTRY(conv2d_maxpool_forward_f32, winograd, score, name, bound),
};

}  // namespace

NNRUN_KERNEL_LIBRARY("avx512_bf16", "512-bit vectors, products in bfloat16", "avx512f avx512vl avx512bw avx512dq avx512_bf16 avx2 fma",
                     kernels)
