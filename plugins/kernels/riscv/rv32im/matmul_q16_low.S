## matmul_q16_low: y[r][f] = sum over k of ((x[r][k] * weights[f][k]) >> 16), plus bias[f], for numbers in Q16.16, with 32 bits everywhere.
##
## The product keeps its low 32 bits alone, so it is right only for numbers whose product is in -0.5 to 0.5: nnrun's quantisation
## scales weights such that it is, or refuses. Each product is rounded on its own, towards minus infinity.
#include "../shared/macros.inc"

#define NAME matmul_q16_low
#define LOG2_BYTES 2
#define BYTES 4

#define MULTIPLY_ADD(offset, pointer, sum) \
  lw t1, offset(pointer); \
  mul t2, t0, t1; \
  srai t2, t2, 16; \
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
  add sum, sum, bias; \
  sw sum, offset(a7)

#include "matmul_rows.inc"
