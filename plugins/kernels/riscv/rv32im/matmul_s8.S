## matmul_s8: y[r][f] = bias[f] + sum over k of x[r][k] * weights[f][k], where x is unsigned bytes, weights are signed bytes, and sums
## have 32 bits.
##
## A quarter of the memory of words, and no shift: what the sum stands for is settled later, by requantize.
#include "../shared/macros.inc"

#define NAME matmul_s8
#define LOG2_BYTES 0
#define BYTES 1

#define MULTIPLY_ADD(offset, pointer, sum) \
  lb t1, offset(pointer); \
  mul t2, t0, t1; \
  add sum, sum, t2

// The same x[k] for all four rows of weights.
#define FOUR_ROWS(offset) \
  lbu t0, offset(s4); \
  MULTIPLY_ADD(offset, s0, s6); \
  MULTIPLY_ADD(offset, s1, s7); \
  MULTIPLY_ADD(offset, s2, s8); \
  MULTIPLY_ADD(offset, s3, s9)

#define ONE_ROW(offset) \
  lbu t0, offset(s4); \
  MULTIPLY_ADD(offset, s0, s6)

#define CLEAR_FOUR li s6, 0; li s7, 0; li s8, 0; li s9, 0
#define CLEAR_ONE li s6, 0

#define STORE_RESULT(offset, sum, unused, bias) \
  add sum, sum, bias; \
  sw sum, offset(a7)

#include "matmul_rows.inc"
