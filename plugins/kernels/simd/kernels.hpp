// The kernels of the vector libraries. Each library compiles these sources with its own vector.hpp and flags, in its own
// namespace.
#pragma once

#include <vector.hpp>

#include "../common/cut.hpp"
#include "../common/library.hpp"

namespace NNRUN_ISA_NAMESPACE {

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
NNRUN_DECLARE_KERNEL(maxpool2d_forward_f32)
NNRUN_DECLARE_KERNEL(maxpool2d_backward_f32)
NNRUN_DECLARE_KERNEL(avgpool2d_forward_f32)
NNRUN_DECLARE_KERNEL(avgpool2d_backward_f32)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_forward_f32, winograd)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_backward_data_f32, winograd)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_forward_f32, matrix_product)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_backward_data_f32, matrix_product)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_backward_weights_f32, matrix_product)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_forward_f32, few_channels)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_forward_f32, depthwise)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_backward_data_f32, depthwise)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_backward_weights_f32, depthwise)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_backward_weights_f32, winograd)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_forward_f32, winograd)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_forward_f32, winograd_few_channels)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_forward_f32, few_channels)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_maxpool_backward_weights_f32, few_channels)
NNRUN_DECLARE_KERNEL(matmul_q16)
NNRUN_DECLARE_KERNEL(matmul_q16_low)
NNRUN_DECLARE_KERNEL(matmul_s32)
NNRUN_DECLARE_KERNEL(matmul_s8)
NNRUN_DECLARE_KERNEL(maxpool2d_s32)
NNRUN_DECLARE_KERNEL(maxpool2d_u8)
NNRUN_DECLARE_KERNEL(requantize)
NNRUN_DECLARE_KERNEL(relu_s32)
NNRUN_DECLARE_KERNEL(abs_s32)
NNRUN_DECLARE_KERNEL(argmax_s32)
NNRUN_DECLARE_KERNEL(dot_s32)
NNRUN_DECLARE_KERNEL(u8_to_s32)
NNRUN_DECLARE_KERNEL(f32_to_u8)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_q16, gathered)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_q16_low, gathered)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_s32, gathered)
NNRUN_DECLARE_SPECIAL_KERNEL(conv2d_s8, gathered)
NNRUN_DECLARE_KERNEL(fma_peak_f32)
NNRUN_DECLARE_KERNEL(read_peak_f32)

constexpr double winograd_bound = 2e-5;
constexpr const char* winograd_name = "Winograd";
constexpr const char* winograd_few_channels_name = "Winograd, few channels";
constexpr const char* matrix_product_name = "matrix product";
constexpr const char* depthwise_name = "depthwise";
constexpr const char* few_channels_name = "few channels";
constexpr const char* gathered_name = "windows gathered";

}  // namespace NNRUN_ISA_NAMESPACE
