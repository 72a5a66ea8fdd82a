## Kernels over elements with vectors (RVV 1.0): a step takes as many elements as vsetvli grants. For RV32 and RV64.
## All return in a0: 0, or 1 where a dimension is out of range.
#include "macros.inc"

  .text
## int relu_s32(x, y, count): y[i] = max(x[i], 0). y may be x.
FUNCTION(relu_s32)
  bltz a2, relu_s32_bad
  beqz a2, relu_s32_done
relu_s32_loop:
  vsetvli t0, a2, e32, m8, ta, ma
  vle32.v v0, (a0)
  vmax.vx v0, v0, zero
  vse32.v v0, (a1)
  slli t1, t0, 2
  add a0, a0, t1
  add a1, a1, t1
  sub a2, a2, t0
  bnez a2, relu_s32_loop
relu_s32_done:
  li a0, OK
  ret
relu_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(relu_s32)

## int abs_s32(x, y, count): y[i] = max(x[i], -x[i]), which leaves -2^31 as it is. y may be x.
FUNCTION(abs_s32)
  bltz a2, abs_s32_bad
  beqz a2, abs_s32_done
abs_s32_loop:
  vsetvli t0, a2, e32, m8, ta, ma
  vle32.v v0, (a0)
  vneg.v v8, v0
  vmax.vv v0, v0, v8
  vse32.v v0, (a1)
  slli t1, t0, 2
  add a0, a0, t1
  add a1, a1, t1
  sub a2, a2, t0
  bnez a2, abs_s32_loop
abs_s32_done:
  li a0, OK
  ret
abs_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(abs_s32)

## int u8_to_s32(x, y, count, factor): bytes become words (vzext), times a factor.
FUNCTION(u8_to_s32)
  bltz a2, u8_to_s32_bad
  beqz a2, u8_to_s32_done
u8_to_s32_loop:
  vsetvli t0, a2, e32, m8, ta, ma
  vle8.v v0, (a0)
  vzext.vf4 v8, v0
  vmul.vx v8, v8, a3
  vse32.v v8, (a1)
  add a0, a0, t0
  slli t1, t0, 2
  add a1, a1, t1
  sub a2, a2, t0
  bnez a2, u8_to_s32_loop
u8_to_s32_done:
  li a0, OK
  ret
u8_to_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(u8_to_s32)

## int argmax_s32(x, y, rows, columns): first the largest of a row, lane by lane and then across (vredmax); then the first place that is
## equal to it (vfirst). columns is 1 or more.
FUNCTION(argmax_s32)
  bltz a2, argmax_s32_bad
  blez a3, argmax_s32_bad
  j argmax_s32_rows
argmax_s32_row:
  vsetvli t0, zero, e32, m8, ta, ma
  li t1, -2147483648
  vmv.v.x v0, t1
  mv t2, a0
  mv t3, a3
argmax_s32_largest:
  vsetvli t0, t3, e32, m8, tu, ma
  vle32.v v8, (t2)
  vmax.vv v0, v0, v8
  slli t1, t0, 2
  add t2, t2, t1
  sub t3, t3, t0
  bnez t3, argmax_s32_largest
  vsetvli t0, zero, e32, m8, ta, ma
  vredmax.vs v8, v0, v0
  vmv.x.s t4, v8

  mv t5, a0
  mv t3, a3
argmax_s32_where:
  vsetvli t0, t3, e32, m8, ta, ma
  vle32.v v8, (t5)
  vmseq.vx v0, v8, t4
  vfirst.m t6, v0
  bgez t6, argmax_s32_found
  slli t1, t0, 2
  add t5, t5, t1
  sub t3, t3, t0
  j argmax_s32_where
argmax_s32_found:
  sub t3, a3, t3            ## columns before this step
  add t6, t6, t3
  sw t6, 0(a1)
  addi a1, a1, 4
  mv a0, t2
  addi a2, a2, -1
argmax_s32_rows:
  bnez a2, argmax_s32_row
  li a0, OK
  ret
argmax_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(argmax_s32)

## int dot_s32(a, b, count, stride_a, stride_b, y): loads with strides, in bytes; a sum a lane, added up at the end.
FUNCTION(dot_s32)
  bltz a2, dot_s32_bad
  blez a3, dot_s32_bad
  blez a4, dot_s32_bad
  slli a3, a3, 2
  slli a4, a4, 2
  vsetvli t0, zero, e32, m8, ta, ma
  vmv.v.i v0, 0
  beqz a2, dot_s32_done
dot_s32_loop:
  vsetvli t0, a2, e32, m8, tu, ma
  vlse32.v v8, (a0), a3
  vlse32.v v16, (a1), a4
  vmacc.vv v0, v8, v16
  mul t1, t0, a3
  add a0, a0, t1
  mul t1, t0, a4
  add a1, a1, t1
  sub a2, a2, t0
  bnez a2, dot_s32_loop
dot_s32_done:
  vsetvli t0, zero, e32, m8, ta, ma
  vmv.s.x v8, zero
  vredsum.vs v8, v0, v8
  vmv.x.s t1, v8
  sw t1, 0(a5)
  li a0, OK
  ret
dot_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(dot_s32)

## int requantize(x, multiplier, shift, y, rows, columns, per_column): y = floor(x * multiplier / 2^shift), brought to 0..255.
##
## Products of 64 bits (vwmul), shifted by as many bits as each column says, brought into range, and narrowed three times (vnsrl).
## Where there is one multiplier for all, a stride of 0 loads the same word for every lane.
FUNCTION(requantize)
  bltz a4, requantize_bad
  bltz a5, requantize_bad
  beqz a5, requantize_done
  slli a6, a6, 2             ## the stride
  li a7, 255
  j requantize_rows
requantize_row:
  mv t1, a1
  mv t2, a2
  mv t3, a5
requantize_columns:
  vsetvli t0, t3, e32, m4, ta, ma
  vle32.v v0, (a0)
  vlse32.v v4, (t1), a6
  vwmul.vv v8, v0, v4
  vlse32.v v0, (t2), a6
  vsetvli zero, zero, e64, m8, ta, ma
  vzext.vf2 v16, v0
  vsra.vv v8, v8, v16
  vmax.vx v8, v8, zero
  vmin.vx v8, v8, a7
  vsetvli zero, zero, e32, m4, ta, ma
  vnsrl.wi v0, v8, 0
  vsetvli zero, zero, e16, m2, ta, ma
  vnsrl.wi v4, v0, 0
  vsetvli zero, zero, e8, m1, ta, ma
  vnsrl.wi v0, v4, 0
  vse8.v v0, (a3)
  add a3, a3, t0
  slli t4, t0, 2
  add a0, a0, t4
  mul t4, t0, a6
  add t1, t1, t4
  add t2, t2, t4
  sub t3, t3, t0
  bnez t3, requantize_columns
  addi a4, a4, -1
requantize_rows:
  bnez a4, requantize_row
requantize_done:
  li a0, OK
  ret
requantize_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(requantize)
