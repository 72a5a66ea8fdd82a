## matmul_s32: y[r][f] = (bias[f] + sum over k of x[r][k] * weights[f][k]) >> shift, in 32 bits that wrap.
##
## With a shift of 0 this is the product of two integer matrices; with numbers of 12 fraction bits and a shift of 12 it is fixed-point
## arithmetic whose sums fit 32 bits: one shift a sum, and two instructions less a product than Q16.16.
#include "../shared/macros.inc"

#define NAME matmul_s32
#define LOG2_BYTES 2
#define BYTES 4

#define MULTIPLY_ADD(offset, pointer, sum) \
  lw t1, offset(pointer); \
  mul t2, t0, t1; \
  add sum, sum, t2

// The same x[k] for all four rows of weights.
#define FOUR_ROWS(offset) \
  lw t0, offset(s4); \
  MULTIPLY_ADD(offset, s0, s6); \
  MULTIPLY_ADD(offset, s1, s7); \
  MULTIPLY_ADD(offset, s2, s8); \
  MULTIPLY_ADD(offset, s3, s9)

#define ONE_ROW(offset) \
  lw t0, offset(s4); \
  MULTIPLY_ADD(offset, s0, s6)

#define CLEAR_FOUR li s6, 0; li s7, 0; li s8, 0; li s9, 0
#define CLEAR_ONE li s6, 0

#define STORE_RESULT(offset, sum, unused, bias) \
  lw t1, 52(sp); \
  add sum, sum, bias; \
  sra sum, sum, t1; \
  sw sum, offset(a7)

#include "matmul_rows.inc"
