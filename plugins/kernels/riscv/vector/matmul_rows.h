// The loops around all matrix products with vectors; what one product is, the file that includes this one says:
//
//   NAME                  of the function
//   LOG2_BYTES            of an element of x and weights
//   ELEMENTS              the type that elements are loaded as, eg: e32, m4
//   SUMS                  the type of the sums, eg: e64, m4; a sum takes four registers
//   FOUR_ROWS             x at t6 times weights at t2, t3, t4, t5, added to the sums in v0, v4, v8, v12; t0 elements
//   ONE_ROW               the first of these alone
//   RESULT(sums)          a0 = the result: `sums` added up, with the bias in a1; other a registers are taken, t1 is free
//   LOAD                  vector load of elements
//
// int NAME(x, weights, bias, y, rows, depth, features, shift): as in rv32im/matmul_rows.h, for RV32 and RV64, for vectors of any length.
//
// Four rows of weights at a time, and with these through all rows of x. vsetvli says how many elements the next step takes: as many as
// the vectors hold, or what is left. Each lane keeps a sum of its own; what is beyond the last, shorter step stays (tail undisturbed).
// At the end of a row the lanes are added up. Sums wrap, so their order changes nothing.
//
// Registers that stay: s0 x, s1 the weights, s2 bias, s3 y, s4 rows, s5 depth, s6 features left, s7 shift, s8 bytes of a row of y, s9 this
// row of x, s10 rows left, s11 where this row's results go.

#define PASTE_(a, b) a ## _ ## b
#define PASTE(a, b) PASTE_(a, b)
#define L(label) PASTE(NAME, label)

FUNCTION(NAME)
  bltz a4, L(bad)
  bltz a5, L(bad)
  bltz a6, L(bad)
  addi sp, sp, -12 * XBYTES
  STOREX s0, (0 * XBYTES)(sp)
  STOREX s1, (1 * XBYTES)(sp)
  STOREX s2, (2 * XBYTES)(sp)
  STOREX s3, (3 * XBYTES)(sp)
  STOREX s4, (4 * XBYTES)(sp)
  STOREX s5, (5 * XBYTES)(sp)
  STOREX s6, (6 * XBYTES)(sp)
  STOREX s7, (7 * XBYTES)(sp)
  STOREX s8, (8 * XBYTES)(sp)
  STOREX s9, (9 * XBYTES)(sp)
  STOREX s10, (10 * XBYTES)(sp)
  STOREX s11, (11 * XBYTES)(sp)
  mv s0, a0
  mv s1, a1
  mv s2, a2
  mv s3, a3
  mv s4, a4
  mv s5, a5
  mv s6, a6
  mv s7, a7
  slli s8, a6, 2

L(block):
  li t0, 4
  blt s6, t0, L(single)
  mv s9, s0
  mv s10, s4
  mv s11, s3
  j L(block_test)
L(block_row):
  vsetvli t0, zero, SUMS, ta, ma
  vmv.v.i v0, 0
  vmv.v.i v4, 0
  vmv.v.i v8, 0
  vmv.v.i v12, 0
  slli t1, s5, LOG2_BYTES
  mv t2, s1
  add t3, t2, t1
  add t4, t3, t1
  add t5, t4, t1
  mv t6, s9
  add s9, s9, t1
  mv a2, s5                  // elements left
  beqz a2, L(block_store)
L(block_loop):
  vsetvli t0, a2, ELEMENTS, tu, ma
  FOUR_ROWS
  sub a2, a2, t0
  slli t1, t0, LOG2_BYTES
  add t6, t6, t1
  add t2, t2, t1
  add t3, t3, t1
  add t4, t4, t1
  add t5, t5, t1
  bnez a2, L(block_loop)
L(block_store):
  li a3, 0
  li a4, 0
  li a5, 0
  li a6, 0
  beqz s2, L(block_no_bias)
  lw a3, 0(s2)
  lw a4, 4(s2)
  lw a5, 8(s2)
  lw a6, 12(s2)
L(block_no_bias):
  mv a1, a3
  RESULT(v0)
  sw a0, 0(s11)
  mv a1, a4
  RESULT(v4)
  sw a0, 4(s11)
  mv a1, a5
  RESULT(v8)
  sw a0, 8(s11)
  mv a1, a6
  RESULT(v12)
  sw a0, 12(s11)
  add s11, s11, s8
  addi s10, s10, -1
L(block_test):
  bnez s10, L(block_row)
  slli t0, s5, 2 + LOG2_BYTES
  add s1, s1, t0
  addi s3, s3, 16
  addi s6, s6, -4
  beqz s2, L(block)
  addi s2, s2, 16
  j L(block)

L(single):                   // up to three features, one at a time
  beqz s6, L(done)
  mv s9, s0
  mv s10, s4
  mv s11, s3
  li a3, 0
  beqz s2, L(single_test)
  lw a3, 0(s2)
  addi s2, s2, 4
  j L(single_test)
L(single_row):
  vsetvli t0, zero, SUMS, ta, ma
  vmv.v.i v0, 0
  mv t2, s1
  mv t6, s9
  mv a2, s5
  beqz a2, L(single_store)
L(single_loop):
  vsetvli t0, a2, ELEMENTS, tu, ma
  ONE_ROW
  sub a2, a2, t0
  slli t1, t0, LOG2_BYTES
  add t6, t6, t1
  add t2, t2, t1
  bnez a2, L(single_loop)
L(single_store):
  mv s9, t6
  mv a1, a3
  RESULT(v0)
  sw a0, 0(s11)
  add s11, s11, s8
  addi s10, s10, -1
L(single_test):
  bnez s10, L(single_row)
  slli t0, s5, LOG2_BYTES
  add s1, s1, t0
  addi s3, s3, 4
  addi s6, s6, -1
  j L(single)

L(done):
  LOADX s0, (0 * XBYTES)(sp)
  LOADX s1, (1 * XBYTES)(sp)
  LOADX s2, (2 * XBYTES)(sp)
  LOADX s3, (3 * XBYTES)(sp)
  LOADX s4, (4 * XBYTES)(sp)
  LOADX s5, (5 * XBYTES)(sp)
  LOADX s6, (6 * XBYTES)(sp)
  LOADX s7, (7 * XBYTES)(sp)
  LOADX s8, (8 * XBYTES)(sp)
  LOADX s9, (9 * XBYTES)(sp)
  LOADX s10, (10 * XBYTES)(sp)
  LOADX s11, (11 * XBYTES)(sp)
  addi sp, sp, 12 * XBYTES
  li a0, OK
  ret
L(bad):
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(NAME)

#undef PASTE_
#undef PASTE
#undef L
#undef NAME
#undef LOG2_BYTES
#undef ELEMENTS
#undef SUMS
#undef FOUR_ROWS
#undef ONE_ROW
#undef RESULT
