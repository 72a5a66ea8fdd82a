## Kernels that take one element after the other. All return in a0: 0, or 1 where a dimension is out of range.
#include "../shared/macros.inc"

  .text
## int relu_s32(x, y, count): y[i] = max(x[i], 0). y may be x.
##
## No branch: x >> 31 is all ones for a negative x and zero otherwise, so x & ~(x >> 31) is what we want.
FUNCTION(relu_s32)
  bltz a2, relu_s32_bad
  slli t0, a2, 2
  add t0, a0, t0            ## the end of x
  beq a0, t0, relu_s32_done
relu_s32_loop:
  lw t1, 0(a0)
  addi a0, a0, 4
  srai t2, t1, 31
  not t2, t2
  and t1, t1, t2
  sw t1, 0(a1)
  addi a1, a1, 4
  bne a0, t0, relu_s32_loop
relu_s32_done:
  li a0, OK
  ret
relu_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(relu_s32)

## int abs_s32(x, y, count): y[i] = |x[i]|; of -2^31, which has no opposite in 32 bits, itself. y may be x.
##
## With s = x >> 31, which is 0 or -1: |x| = (x ^ s) - s.
FUNCTION(abs_s32)
  bltz a2, abs_s32_bad
  slli t0, a2, 2
  add t0, a0, t0
  beq a0, t0, abs_s32_done
abs_s32_loop:
  lw t1, 0(a0)
  addi a0, a0, 4
  srai t2, t1, 31
  xor t1, t1, t2
  sub t1, t1, t2
  sw t1, 0(a1)
  addi a1, a1, 4
  bne a0, t0, abs_s32_loop
abs_s32_done:
  li a0, OK
  ret
abs_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(abs_s32)

## int u8_to_s32(x, y, count, factor): y[i] = x[i] * factor, from bytes to words.
FUNCTION(u8_to_s32)
  bltz a2, u8_to_s32_bad
  add t0, a0, a2
  beq a0, t0, u8_to_s32_done
u8_to_s32_loop:
  lbu t1, 0(a0)
  addi a0, a0, 1
  mul t1, t1, a3
  sw t1, 0(a1)
  addi a1, a1, 4
  bne a0, t0, u8_to_s32_loop
u8_to_s32_done:
  li a0, OK
  ret
u8_to_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(u8_to_s32)

## int argmax_s32(x, y, rows, columns): y[r] = the column of the largest x[r][c], the first of equal ones. columns is 1 or more.
FUNCTION(argmax_s32)
  bltz a2, argmax_s32_bad
  blez a3, argmax_s32_bad
  j argmax_s32_rows
argmax_s32_row:
  lw t0, 0(a0)              ## the largest so far
  li t1, 0                  ## its column
  li t2, 1                  ## the column that is next
  addi a0, a0, 4
  j argmax_s32_columns
argmax_s32_column:
  lw t3, 0(a0)
  addi a0, a0, 4
  ble t3, t0, argmax_s32_not_larger
  mv t0, t3
  mv t1, t2
argmax_s32_not_larger:
  addi t2, t2, 1
argmax_s32_columns:
  bne t2, a3, argmax_s32_column
  sw t1, 0(a1)
  addi a1, a1, 4
  addi a2, a2, -1
argmax_s32_rows:
  bnez a2, argmax_s32_row
  li a0, OK
  ret
argmax_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(argmax_s32)

## int dot_s32(a, b, count, stride_a, stride_b, y): *y = sum over i of a[i * stride_a] * b[i * stride_b], in 32 bits that wrap.
## Strides count words and are 1 or more, so a column of a matrix is a vector too.
FUNCTION(dot_s32)
  bltz a2, dot_s32_bad
  blez a3, dot_s32_bad
  blez a4, dot_s32_bad
  slli a3, a3, 2            ## strides in bytes
  slli a4, a4, 2
  li t0, 0
  beqz a2, dot_s32_done
dot_s32_loop:
  lw t1, 0(a0)
  lw t2, 0(a1)
  add a0, a0, a3
  add a1, a1, a4
  mul t1, t1, t2
  add t0, t0, t1
  addi a2, a2, -1
  bnez a2, dot_s32_loop
dot_s32_done:
  sw t0, 0(a5)
  li a0, OK
  ret
dot_s32_bad:
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(dot_s32)
