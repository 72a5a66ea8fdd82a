// What every vector library has in its table: the kernels of kernels.hpp.
#pragma once

#include "kernels.hpp"

#define NNRUN_SIMD_ENTRIES(score)                                                                                                     \
  NNRUN_TABLE_ENTRY(gemm_f32, score), NNRUN_TABLE_ENTRY(dense_backward_f32, score), NNRUN_TABLE_ENTRY(column_sum_f32, score),         \
      NNRUN_TABLE_ENTRY(relu_f32, score), NNRUN_TABLE_ENTRY(relu_backward_f32, score), NNRUN_TABLE_ENTRY(activation_f32, score),      \
      NNRUN_TABLE_ENTRY(activation_backward_f32, score), NNRUN_TABLE_ENTRY(softmax_f32, score),                                       \
      NNRUN_TABLE_ENTRY(softmax_cross_entropy_f32, score), NNRUN_TABLE_ENTRY(sgd_f32, score), NNRUN_TABLE_ENTRY(momentum_f32, score), \
      NNRUN_TABLE_ENTRY(adam_f32, score), NNRUN_TABLE_ENTRY(dense_update_f32, score), NNRUN_TABLE_ENTRY(batchnorm_f32, score),        \
      NNRUN_TABLE_ENTRY(batchnorm_backward_f32, score), NNRUN_TABLE_ENTRY(batchnorm_maxpool_f32, score),                              \
      NNRUN_TABLE_ENTRY(batchnorm_maxpool_backward_f32, score), NNRUN_TABLE_ENTRY(u8_to_f32, score),                                  \
      NNRUN_TABLE_ENTRY(conv2d_forward_f32, score), NNRUN_TABLE_ENTRY(conv2d_backward_data_f32, score),                               \
      NNRUN_TABLE_ENTRY(conv2d_backward_weights_f32, score), NNRUN_TABLE_ENTRY(maxpool2d_forward_f32, score),                         \
      NNRUN_TABLE_ENTRY(maxpool2d_backward_f32, score), NNRUN_TABLE_ENTRY(avgpool2d_forward_f32, score),                              \
      NNRUN_TABLE_ENTRY(avgpool2d_backward_f32, score),                                                                               \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_forward_f32, winograd, score + 40, winograd_name, winograd_bound),                             \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_data_f32, winograd, score + 40, winograd_name, winograd_bound),                       \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_weights_f32, winograd, score + 50, winograd_name, winograd_bound),                    \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_forward_f32, matrix_product, score + 50, matrix_product_name, 0),                              \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_data_f32, matrix_product, score + 50, matrix_product_name, 0),                        \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_weights_f32, matrix_product, score + 50, matrix_product_name, 0),                     \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_forward_f32, few_channels, score + 30, few_channels_name, 0),                                  \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_forward_f32, depthwise, score + 50, depthwise_name, 0),                                        \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_data_f32, depthwise, score + 50, depthwise_name, 0),                                  \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_backward_weights_f32, depthwise, score + 50, depthwise_name, 0),                               \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_forward_f32, winograd, score + 40, winograd_name, winograd_bound),                     \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_forward_f32, winograd_few_channels, score + 50, winograd_few_channels_name,            \
                                winograd_bound),                                                                                      \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_forward_f32, few_channels, score, few_channels_name, 0),                               \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_maxpool_backward_weights_f32, few_channels, score, few_channels_name, 0),                      \
      NNRUN_TABLE_ENTRY(matmul_q16, score), NNRUN_TABLE_ENTRY(matmul_q16_low, score), NNRUN_TABLE_ENTRY(matmul_s32, score),           \
      NNRUN_TABLE_ENTRY(matmul_s8, score), NNRUN_TABLE_ENTRY(maxpool2d_s32, score), NNRUN_TABLE_ENTRY(maxpool2d_u8, score),           \
      NNRUN_TABLE_ENTRY(requantize, score), NNRUN_TABLE_ENTRY(relu_s32, score), NNRUN_TABLE_ENTRY(abs_s32, score),                    \
      NNRUN_TABLE_ENTRY(argmax_s32, score), NNRUN_TABLE_ENTRY(dot_s32, score), NNRUN_TABLE_ENTRY(u8_to_s32, score),                   \
      NNRUN_TABLE_ENTRY(f32_to_u8, score), NNRUN_SPECIAL_TABLE_ENTRY(conv2d_q16, gathered, score, gathered_name, 0),                  \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_q16_low, gathered, score, gathered_name, 0),                                                   \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_s32, gathered, score, gathered_name, 0),                                                       \
      NNRUN_SPECIAL_TABLE_ENTRY(conv2d_s8, gathered, score, gathered_name, 0), NNRUN_TABLE_ENTRY(fma_peak_f32, score),                \
      NNRUN_TABLE_ENTRY(read_peak_f32, score)
