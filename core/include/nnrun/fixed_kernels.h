/* The kernels of fixed-point arithmetic: rows like those of kernels.h, on integers, to the bit on every instruction set.
 *
 * Three rules, for all of them:
 *   - Rounding is floor: a right shift is arithmetic, so that -1 >> 1 is -1. There is no other rounding.
 *   - Sums and products wrap: 32-bit ones modulo 2^32, 64-bit ones modulo 2^64, and a result that is kept in 32 bits is its low 32 bits.
 *     So a sum has the same bits in any order. Whether anything can wrap is settled before, by whoever quantises.
 *   - Nothing saturates, but where a row says so (requantize, f32_to_u8).
 *
 * A number of s32 stands for itself / 2^f, where f, its fraction bits, is known to the caller alone: 16 in Q16.16. u8 and s8 stand for
 * (itself - zero point) * scale; scales and zero points are the caller's, too.
 * Everything is contiguous. Pointers to s32 are aligned to 4 bytes.
 */
#ifndef NNRUN_FIXED_KERNELS_H
#define NNRUN_FIXED_KERNELS_H

#include <nnrun/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Products of a batch of row vectors with weights: x is (rows, depth), weights (features, depth), y (rows, features), bias (features) or
 * NULL, where it counts as 0; has_bias says the same at plan time. */

/* y = floor(sum over k of x[k] * weights[k] / 2^16) + bias. Products and the sum have 64 bits, y is the low 32 of the result. With x and
 * weights in Q16.16, so are bias and y. */
typedef struct nnrun_matmul_q16 {
  int64_t rows, features, depth;
  uint32_t has_bias;
  const int32_t* x;
  const int32_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_matmul_q16;

/* y = bias + sum over k of (low 32 bits of x[k] * weights[k]) >> 16: what `mul; srai 16; add` makes of Q16.16. It is right only where
 * -2^31 <= x[k] * weights[k] < 2^31, so where the product of the two numbers is in -0.5..0.5. */
typedef struct nnrun_matmul_q16_low {
  int64_t rows, features, depth;
  uint32_t has_bias;
  const int32_t* x;
  const int32_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_matmul_q16_low;

/* y = (bias + sum over k of x[k] * weights[k]) >> shift, all in 32 bits; shift is in 0..31. */
typedef struct nnrun_matmul_s32 {
  int64_t rows, features, depth;
  uint32_t has_bias;
  int32_t shift;
  const int32_t* x;
  const int32_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_matmul_s32;

/* y = bias + sum over k of x[k] * weights[k]. Nothing wraps up to a depth of 65,000 with |bias| < 2^24. */
typedef struct nnrun_matmul_s8 {
  int64_t rows, features, depth;
  uint32_t has_bias;
  const uint8_t* x;
  const int8_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_matmul_s8;

/* The same products over windows of pictures: x is (batch, input[0], input[1], channels), weights (filters, kernel[0], kernel[1],
 * channels / groups), y (batch, output[0], output[1], filters), bias (filters) or NULL. Group g makes the filters
 * g * filters / groups... of the channels g * channels / groups...; both are multiples of `groups`. Places outside of x count as 0. */
typedef struct nnrun_conv2d_q16 {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  uint32_t has_bias;
  const int32_t* x;
  const int32_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_conv2d_q16;

typedef struct nnrun_conv2d_q16_low {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  uint32_t has_bias;
  const int32_t* x;
  const int32_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_conv2d_q16_low;

typedef struct nnrun_conv2d_s32 {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  uint32_t has_bias;
  int32_t shift;
  const int32_t* x;
  const int32_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_conv2d_s32;

/* Places outside of x count as the number `outside`, 0..255: x's zero point. */
typedef struct nnrun_conv2d_s8 {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  uint32_t has_bias;
  int32_t outside;
  const uint8_t* x;
  const int8_t* weights;
  const int32_t* bias;
  int32_t* y;
} nnrun_conv2d_s8;

/* y = the largest of each window. Every window holds a place of x. */
typedef struct nnrun_maxpool2d_s32 {
  nnrun_windows windows;
  int64_t channels;
  const int32_t* x;
  int32_t* y;
} nnrun_maxpool2d_s32;

typedef struct nnrun_maxpool2d_u8 {
  nnrun_windows windows;
  int64_t channels;
  const uint8_t* x;
  uint8_t* y;
} nnrun_maxpool2d_u8;

/* y = floor(x * multiplier / 2^shift), then brought to 0..255. The product has 64 bits. x and y are
 * (rows, columns); multiplier and shift are (columns) where per_column is 1, otherwise (1). multiplier is 0 or more, shift in 0..62. */
typedef struct nnrun_requantize {
  int64_t rows, columns;
  uint32_t per_column;
  const int32_t* x;
  const int32_t* multiplier;
  const int32_t* shift;
  uint8_t* y;
} nnrun_requantize;

/* y = max(x, 0). May be in place. */
typedef struct nnrun_relu_s32 {
  int64_t count;
  const int32_t* x;
  int32_t* y;
} nnrun_relu_s32;

/* y = |x|; of -2^31, which has no opposite, itself. May be in place. */
typedef struct nnrun_abs_s32 {
  int64_t count;
  const int32_t* x;
  int32_t* y;
} nnrun_abs_s32;

/* y[i] = the column of the largest x[i][j], the first of equal ones. x is (rows, columns), columns > 0; y is (rows). */
typedef struct nnrun_argmax_s32 {
  int64_t rows, columns;
  const int32_t* x;
  int32_t* y;
} nnrun_argmax_s32;

/* *y = sum over i of a[i * stride_a] * b[i * stride_b], in 32 bits. Strides count elements, and are 1 or more. */
typedef struct nnrun_dot_s32 {
  int64_t count;
  int64_t stride_a, stride_b;
  const int32_t* a;
  const int32_t* b;
  int32_t* y;
} nnrun_dot_s32;

/* y = x * factor. */
typedef struct nnrun_u8_to_s32 {
  int64_t count;
  int32_t factor;
  const uint8_t* x;
  int32_t* y;
} nnrun_u8_to_s32;

/* y = floor(x * scale + offset), brought to 0..255; NaN becomes 0. One multiplication and one addition in float, no fused rounding. */
typedef struct nnrun_f32_to_u8 {
  int64_t count;
  float scale, offset;
  const float* x;
  uint8_t* y;
} nnrun_f32_to_u8;

/* X(name, bound, doc) as in kernels.h. */
#define NNRUN_FIXED_KERNEL_ROWS(X)                                                \
  X(matmul_q16, 0, "fixed-point matrix product, Q16.16, sums in 64 bits")         \
  X(matmul_q16_low, 0, "fixed-point matrix product, Q16.16, products in 32 bits") \
  X(matmul_s32, 0, "integer matrix product, one shift at the end")                \
  X(matmul_s8, 0, "bytes times signed bytes, summed in 32 bits")                  \
  X(conv2d_q16, 0, "fixed-point convolution, Q16.16, sums in 64 bits")            \
  X(conv2d_q16_low, 0, "fixed-point convolution, Q16.16, products in 32 bits")    \
  X(conv2d_s32, 0, "integer convolution, one shift at the end")                   \
  X(conv2d_s8, 0, "convolution of bytes with signed bytes, summed in 32 bits")    \
  X(maxpool2d_s32, 0, "largest of each window, 32-bit integers")                  \
  X(maxpool2d_u8, 0, "largest of each window, bytes")                             \
  X(requantize, 0, "32-bit sums to bytes, by multiplier and shift")               \
  X(relu_s32, 0, "max(x, 0) of 32-bit integers")                                  \
  X(abs_s32, 0, "|x| of 32-bit integers")                                         \
  X(argmax_s32, 0, "where the largest of each row is")                            \
  X(dot_s32, 0, "dot product of 32-bit integers, with strides")                   \
  X(u8_to_s32, 0, "bytes to 32-bit integers, times a factor")                     \
  X(f32_to_u8, 0, "floats to bytes, scaled")

#ifdef __cplusplus
}
#endif

#endif
