## Matrix products with vectors (RVV 1.0), in the four arithmetics of the rv32im ones.
#include "macros.inc"

  .text

## matmul_q16: 32 x 32 bits are added to sums of 64 (vwmacc); the last step narrows the sum again, shifted by 16 (vnsra).
#define NAME matmul_q16
#define LOG2_BYTES 2
#define ELEMENTS e32, m2
#define SUMS e64, m4
#define FOUR_ROWS \
  vle32.v v16, (t6); \
  vle32.v v18, (t2); \
  vle32.v v20, (t3); \
  vle32.v v22, (t4); \
  vle32.v v24, (t5); \
  vwmacc.vv v0, v16, v18; \
  vwmacc.vv v4, v16, v20; \
  vwmacc.vv v8, v16, v22; \
  vwmacc.vv v12, v16, v24
#define ONE_ROW \
  vle32.v v16, (t6); \
  vle32.v v18, (t2); \
  vwmacc.vv v0, v16, v18
#define RESULT(sums) \
  vsetvli t0, zero, e64, m4, ta, ma; \
  vmv.s.x v16, zero; \
  vredsum.vs v16, sums, v16; \
  vsetivli zero, 1, e32, mf2, ta, ma; \
  vnsra.wi v17, v16, 16; \
  vmv.x.s a0, v17; \
  add a0, a0, a1
#include "matmul_rows.inc"

## matmul_q16_low: the low 32 bits of each product, shifted by 16, are summed.
#define NAME matmul_q16_low
#define LOG2_BYTES 2
#define ELEMENTS e32, m4
#define SUMS e32, m4
#define LOW_PRODUCT(sums, pointer) \
  vle32.v v20, (pointer); \
  vmul.vv v20, v20, v16; \
  vsra.vi v20, v20, 16; \
  vadd.vv sums, sums, v20
#define FOUR_ROWS \
  vle32.v v16, (t6); \
  LOW_PRODUCT(v0, t2); \
  LOW_PRODUCT(v4, t3); \
  LOW_PRODUCT(v8, t4); \
  LOW_PRODUCT(v12, t5)
#define ONE_ROW \
  vle32.v v16, (t6); \
  LOW_PRODUCT(v0, t2)
#define RESULT(sums) \
  vsetvli t0, zero, e32, m4, ta, ma; \
  vmv.s.x v16, zero; \
  vredsum.vs v16, sums, v16; \
  vmv.x.s a0, v16; \
  add a0, a0, a1
#include "matmul_rows.inc"

## matmul_s32: products and sums of 32 bits, one shift at the end.
#define NAME matmul_s32
#define LOG2_BYTES 2
#define ELEMENTS e32, m4
#define SUMS e32, m4
#define FOUR_ROWS \
  vle32.v v16, (t6); \
  vle32.v v20, (t2); \
  vmacc.vv v0, v16, v20; \
  vle32.v v24, (t3); \
  vmacc.vv v4, v16, v24; \
  vle32.v v20, (t4); \
  vmacc.vv v8, v16, v20; \
  vle32.v v24, (t5); \
  vmacc.vv v12, v16, v24
#define ONE_ROW \
  vle32.v v16, (t6); \
  vle32.v v20, (t2); \
  vmacc.vv v0, v16, v20
#define RESULT(sums) \
  vsetvli t0, zero, e32, m4, ta, ma; \
  vmv.s.x v16, a1; \
  vredsum.vs v16, sums, v16; \
  vmv.x.s a0, v16; \
  sra a0, a0, s7
#include "matmul_rows.inc"

## matmul_s8: a product of a byte and a signed byte fits 16 bits (vwmulsu), and is added to sums of 32 (vwadd).
#define NAME matmul_s8
#define LOG2_BYTES 0
#define ELEMENTS e8, m1
#define SUMS e32, m4
#define FOUR_ROWS \
  vle8.v v16, (t6); \
  vle8.v v17, (t2); \
  vwmulsu.vv v18, v17, v16; \
  vle8.v v17, (t3); \
  vwmulsu.vv v20, v17, v16; \
  vle8.v v17, (t4); \
  vwmulsu.vv v22, v17, v16; \
  vle8.v v17, (t5); \
  vwmulsu.vv v24, v17, v16; \
  vsetvli zero, zero, e16, m2, tu, ma; \
  vwadd.wv v0, v0, v18; \
  vwadd.wv v4, v4, v20; \
  vwadd.wv v8, v8, v22; \
  vwadd.wv v12, v12, v24
#define ONE_ROW \
  vle8.v v16, (t6); \
  vle8.v v17, (t2); \
  vwmulsu.vv v18, v17, v16; \
  vsetvli zero, zero, e16, m2, tu, ma; \
  vwadd.wv v0, v0, v18
#define RESULT(sums) \
  vsetvli t0, zero, e32, m4, ta, ma; \
  vmv.s.x v16, zero; \
  vredsum.vs v16, sums, v16; \
  vmv.x.s a0, v16; \
  add a0, a0, a1
#include "matmul_rows.inc"
