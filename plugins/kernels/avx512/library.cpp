#include "../simd/kernels.hpp"

using namespace nnrun_avx512;

namespace nnrun_avx512 {

NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_backward_data_f32, sparse)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_backward_weights_f32, sparse)

}  // namespace nnrun_avx512

namespace {

constexpr int32_t score = 500;

constexpr nnrun_kernel kernels[] = {
    NNRUN_TABLE_ENTRY(gemm_f32, score),
    NNRUN_TABLE_ENTRY(dense_backward_f32, score),
    NNRUN_TABLE_ENTRY(column_sum_f32, score),
    NNRUN_TABLE_ENTRY(relu_f32, score),
    NNRUN_TABLE_ENTRY(relu_backward_f32, score),
    NNRUN_TABLE_ENTRY(activation_f32, score),
    NNRUN_TABLE_ENTRY(activation_backward_f32, score),
    NNRUN_TABLE_ENTRY(softmax_f32, score),
    NNRUN_TABLE_ENTRY(softmax_cross_entropy_f32, score),
    NNRUN_TABLE_ENTRY(sgd_f32, score),
    NNRUN_TABLE_ENTRY(momentum_f32, score),
    NNRUN_TABLE_ENTRY(adam_f32, score),
    NNRUN_TABLE_ENTRY(batchnorm_f32, score),
    NNRUN_TABLE_ENTRY(batchnorm_backward_f32, score),
    NNRUN_TABLE_ENTRY(u8_to_f32, score),
    NNRUN_TABLE_ENTRY(conv2d_forward_f32, score),
    NNRUN_TABLE_ENTRY(conv2d_backward_data_f32, score),
    NNRUN_TABLE_ENTRY(conv2d_backward_weights_f32, score),
    NNRUN_TABLE_ENTRY(maxpool2d_forward_f32, score),
    NNRUN_TABLE_ENTRY(maxpool2d_backward_f32, score),
    NNRUN_TABLE_ENTRY(avgpool2d_forward_f32, score),
    NNRUN_TABLE_ENTRY(avgpool2d_backward_f32, score),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_forward_f32, winograd, score + 50, winograd_name, winograd_bound),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_data_f32, winograd, score + 50, winograd_name, winograd_bound),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_forward_f32, winograd, score + 50, winograd_name, winograd_bound),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_forward_f32, winograd_few_channels, score + 50, winograd_few_channels_name, winograd_bound),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_forward_f32, few_channels, score, few_channels_name, 0),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_backward_weights_f32, few_channels, score, few_channels_name, 0),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_backward_data_f32, sparse, score + 50, "sparse", 0),
    NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_backward_weights_f32, sparse, score + 50, "sparse", 0),
    NNRUN_TABLE_ENTRY(fma_peak_f32, score),
    NNRUN_TABLE_ENTRY(read_peak_f32, score),
};

}  // namespace

NNRUN_KERNEL_LIBRARY("avx512", "512-bit vectors", "avx512f avx512vl avx512bw avx512dq avx2 fma", kernels)
