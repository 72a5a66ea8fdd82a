// The reference kernels: plain loops in the order of the formulas in <nnrun/kernels.h>, without contraction to FMA. Long sums
// are kept in double, so that what other libraries are compared with is as good as float can say.
#pragma once

#include "../common/cut.hpp"
#include "../common/library.hpp"

namespace nnrun_scalar {

NNRUN_DECLARE_KERNEL(gemm_f32)
NNRUN_DECLARE_KERNEL(dense_backward_f32)
NNRUN_DECLARE_KERNEL(column_sum_f32)
NNRUN_DECLARE_KERNEL(relu_f32)
NNRUN_DECLARE_KERNEL(relu_backward_f32)
NNRUN_DECLARE_KERNEL(activation_f32)
NNRUN_DECLARE_KERNEL(activation_backward_f32)
NNRUN_DECLARE_KERNEL(softmax_f32)
NNRUN_DECLARE_KERNEL(softmax_cross_entropy_f32)
NNRUN_DECLARE_KERNEL(sgd_f32)
NNRUN_DECLARE_KERNEL(momentum_f32)
NNRUN_DECLARE_KERNEL(adam_f32)
NNRUN_DECLARE_KERNEL(dense_update_f32)
NNRUN_DECLARE_KERNEL(batchnorm_f32)
NNRUN_DECLARE_KERNEL(batchnorm_backward_f32)
NNRUN_DECLARE_KERNEL(batchnorm_maxpool_f32)
NNRUN_DECLARE_KERNEL(batchnorm_maxpool_backward_f32)
NNRUN_DECLARE_KERNEL(u8_to_f32)
NNRUN_DECLARE_KERNEL(conv2d_forward_f32)
NNRUN_DECLARE_KERNEL(conv2d_backward_data_f32)
NNRUN_DECLARE_KERNEL(conv2d_backward_weights_f32)
NNRUN_DECLARE_KERNEL(conv2d_maxpool_forward_f32)
NNRUN_DECLARE_KERNEL(conv2d_maxpool_backward_data_f32)
NNRUN_DECLARE_KERNEL(conv2d_maxpool_backward_weights_f32)
NNRUN_DECLARE_KERNEL(maxpool2d_forward_f32)
NNRUN_DECLARE_KERNEL(maxpool2d_backward_f32)
NNRUN_DECLARE_KERNEL(avgpool2d_forward_f32)
NNRUN_DECLARE_KERNEL(avgpool2d_backward_f32)
NNRUN_DECLARE_KERNEL(matmul_q16)
NNRUN_DECLARE_KERNEL(matmul_q16_low)
NNRUN_DECLARE_KERNEL(matmul_s32)
NNRUN_DECLARE_KERNEL(matmul_s8)
NNRUN_DECLARE_KERNEL(conv2d_q16)
NNRUN_DECLARE_KERNEL(conv2d_q16_low)
NNRUN_DECLARE_KERNEL(conv2d_s32)
NNRUN_DECLARE_KERNEL(conv2d_s8)
NNRUN_DECLARE_KERNEL(maxpool2d_s32)
NNRUN_DECLARE_KERNEL(maxpool2d_u8)
NNRUN_DECLARE_KERNEL(requantize)
NNRUN_DECLARE_KERNEL(relu_s32)
NNRUN_DECLARE_KERNEL(abs_s32)
NNRUN_DECLARE_KERNEL(argmax_s32)
NNRUN_DECLARE_KERNEL(dot_s32)
NNRUN_DECLARE_KERNEL(u8_to_s32)
NNRUN_DECLARE_KERNEL(f32_to_u8)
NNRUN_DECLARE_KERNEL(fma_peak_f32)
NNRUN_DECLARE_KERNEL(read_peak_f32)

}  // namespace nnrun_scalar
