## matmul_q16: y[r][f] = (sum over k of x[r][k] * weights[f][k]) >> 16, plus bias[f], for numbers in Q16.16.
##
## Products and sums have 64 bits, as pairs of registers: mul gives the low half of a product, mulh the high half. One shift for the
## whole sum, so there is one rounding, towards minus infinity.
#include "../shared/macros.inc"

#define NAME matmul_q16
#define LOG2_BYTES 2
#define BYTES 4

// One product: [high:low] += x * w, where x is in t0 and w in memory.
// The carry: after low += p the sum is below p exactly where it wrapped.
#define MULTIPLY_ADD(offset, pointer, low, high) \
  lw t1, offset(pointer); \
  mul t2, t0, t1; \
  mulh t1, t0, t1; \
  add low, low, t2; \
  sltu t2, low, t2; \
  add high, high, t1; \
  add high, high, t2

// The same x[k] for all four rows of weights.
#define FOUR_ROWS(offset) \
  lw t0, offset(s4); \
  MULTIPLY_ADD(offset, s0, s6, t3); \
  MULTIPLY_ADD(offset, s1, s7, t4); \
  MULTIPLY_ADD(offset, s2, s8, t5); \
  MULTIPLY_ADD(offset, s3, s9, t6)

#define ONE_ROW(offset) \
  lw t0, offset(s4); \
  MULTIPLY_ADD(offset, s0, s6, t3)

#define CLEAR_FOUR li s6, 0; li s7, 0; li s8, 0; li s9, 0; li t3, 0; li t4, 0; li t5, 0; li t6, 0
#define CLEAR_ONE li s6, 0; li t3, 0

// The low 32 bits of [high:low] >> 16, plus the bias.
#define STORE_RESULT(offset, low, high, bias) \
  srli low, low, 16; \
  slli high, high, 16; \
  or low, low, high; \
  add low, low, bias; \
  sw low, offset(a7)

#include "matmul_rows.inc"
