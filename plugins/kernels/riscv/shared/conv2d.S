## Convolutions, in the arithmetic of each matrix product.
#include "macros.inc"
#include "windows.inc"

  .text

#define NAME conv2d_q16
#define MATMUL matmul_q16
#define LOG2_BYTES 2
#define LOAD lw
#define STORE sw
#include "conv2d.inc"

#define NAME conv2d_q16_low
#define MATMUL matmul_q16_low
#define LOG2_BYTES 2
#define LOAD lw
#define STORE sw
#include "conv2d.inc"

#define NAME conv2d_s32
#define MATMUL matmul_s32
#define LOG2_BYTES 2
#define LOAD lw
#define STORE sw
#include "conv2d.inc"

#define NAME conv2d_s8
#define MATMUL matmul_s8
#define LOG2_BYTES 0
#define LOAD lbu
#define STORE sb
#include "conv2d.inc"
