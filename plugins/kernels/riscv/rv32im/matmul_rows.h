// The loops around all matrix products here; what one product is, the file that includes this one says:
//
//   NAME                     of the function
//   LOG2_BYTES, BYTES        of an element of x and weights
//   FOUR_ROWS(offset)        x at offset(s4) times weights at offset(s0), (s1), (s2), (s3), added to four sums
//   ONE_ROW(offset)          the first of these alone
//   CLEAR_FOUR, CLEAR_ONE    sums to 0
//   STORE_RESULT(offset, low, high, bias)   from a sum to y at offset(a7)
//
// Sums live in s6, s7, s8, s9, and where they have 64 bits, their high halves in t3, t4, t5, t6. t0, t1, t2 are free in all of these.
//
// int NAME(x, weights, bias, y, rows, depth, features, shift)
//   a0  x         rows x depth elements, row by row
//   a1  weights   features x depth elements
//   a2  bias      features words, or 0: no bias
//   a3  y         rows x features words
//   a4  rows      0 or more
//   a5  depth     0 or more
//   a6  features  0 or more
//   a7  shift     where the product has one
// Returns in a0: 0, or 1 where a dimension is negative.
//
// How it goes: four rows of weights at a time, and with these through all rows of x. So each x[k] is loaded once for four products, and
// the four rows of weights (12 KiB for a depth of 784 words) stay in the cache for the whole batch. Four steps of k a turn share the cost
// of moving the pointers. What is left over of features, fewer than four, goes one row at a time.
//
// An address is base + (index << LOG2_BYTES): there is no multiplication in it.

#define PASTE_(a, b) a ## _ ## b
#define PASTE(a, b) PASTE_(a, b)
#define L(label) PASTE(NAME, label)

// Where the four elements of a turn are, in plain numbers: not every assembler computes.
#if BYTES == 4
#define AT_1 4
#define AT_2 8
#define AT_3 12
#define STEP 16
#define LOG2_STEP 4
#else
#define AT_1 1
#define AT_2 2
#define AT_3 3
#define STEP 4
#define LOG2_STEP 2
#endif

  .text
FUNCTION(NAME)
  bltz a4, L(bad)
  bltz a5, L(bad)
  bltz a6, L(bad)

  ## Registers s0 to s11 are our caller's: keep them.
  addi sp, sp, -64
  sw s0, 0(sp)
  sw s1, 4(sp)
  sw s2, 8(sp)
  sw s3, 12(sp)
  sw s4, 16(sp)
  sw s5, 20(sp)
  sw s6, 24(sp)
  sw s7, 28(sp)
  sw s8, 32(sp)
  sw s9, 36(sp)
  sw s10, 40(sp)
  sw s11, 44(sp)
  slli t0, a6, 2
  sw t0, 48(sp)            ## bytes of a row of y
  sw a7, 52(sp)            ## the shift, where there is one

L(block):          ## a6 features are left, a1, a2, a3 point to the first of them
  li t0, 4
  blt a6, t0, L(single)
  mv s10, a0               ## the row of x
  mv s11, a4               ## rows left
  mv a7, a3                ## where its results go
  j L(block_test)

L(block_row):
  slli t0, a5, LOG2_BYTES  ## bytes of a row of weights, and of x
  mv s0, a1
  add s1, s0, t0
  add s2, s1, t0
  add s3, s2, t0
  mv s4, s10
  add s10, s10, t0         ## the next row of x, and the end of this one
  andi t1, a5, -4
  slli t1, t1, LOG2_BYTES
  add s5, s4, t1           ## the end of the steps of four
  CLEAR_FOUR
  beq s4, s5, L(block_tail)

L(block_loop):     ## 4 x 4 products a turn
  FOUR_ROWS(0)
  FOUR_ROWS(AT_1)
  FOUR_ROWS(AT_2)
  FOUR_ROWS(AT_3)
  addi s4, s4, STEP
  addi s0, s0, STEP
  addi s1, s1, STEP
  addi s2, s2, STEP
  addi s3, s3, STEP
  bne s4, s5, L(block_loop)

L(block_tail):     ## a depth that is no multiple of four
  beq s4, s10, L(block_store)
  FOUR_ROWS(0)
  addi s4, s4, BYTES
  addi s0, s0, BYTES
  addi s1, s1, BYTES
  addi s2, s2, BYTES
  addi s3, s3, BYTES
  j L(block_tail)

L(block_store):
  li s0, 0
  li s1, 0
  li s2, 0
  li s3, 0
  beqz a2, L(block_no_bias)
  lw s0, 0(a2)
  lw s1, 4(a2)
  lw s2, 8(a2)
  lw s3, 12(a2)
L(block_no_bias):
  STORE_RESULT(0, s6, t3, s0)
  STORE_RESULT(4, s7, t4, s1)
  STORE_RESULT(8, s8, t5, s2)
  STORE_RESULT(12, s9, t6, s3)
  lw t0, 48(sp)
  add a7, a7, t0           ## the same features of the next row
  addi s11, s11, -1
L(block_test):
  bnez s11, L(block_row)

  slli t0, a5, LOG2_STEP  ## four rows of weights are done
  add a1, a1, t0
  addi a3, a3, 16
  addi a6, a6, -4
  beqz a2, L(block)
  addi a2, a2, 16
  j L(block)

L(single):         ## up to three features, one at a time
  beqz a6, L(done)
  mv s10, a0
  mv s11, a4
  mv a7, a3
  li s1, 0                 ## the bias
  beqz a2, L(single_test)
  lw s1, 0(a2)
  addi a2, a2, 4
  j L(single_test)

L(single_row):
  slli t0, a5, LOG2_BYTES
  mv s0, a1
  mv s4, s10
  add s10, s10, t0
  andi t1, a5, -4
  slli t1, t1, LOG2_BYTES
  add s5, s4, t1
  CLEAR_ONE
  beq s4, s5, L(single_tail)

L(single_loop):
  ONE_ROW(0)
  ONE_ROW(AT_1)
  ONE_ROW(AT_2)
  ONE_ROW(AT_3)
  addi s4, s4, STEP
  addi s0, s0, STEP
  bne s4, s5, L(single_loop)

L(single_tail):
  beq s4, s10, L(single_store)
  ONE_ROW(0)
  addi s4, s4, BYTES
  addi s0, s0, BYTES
  j L(single_tail)

L(single_store):
  STORE_RESULT(0, s6, t3, s1)
  lw t0, 48(sp)
  add a7, a7, t0
  addi s11, s11, -1
L(single_test):
  bnez s11, L(single_row)

  slli t0, a5, LOG2_BYTES
  add a1, a1, t0
  addi a3, a3, 4
  addi a6, a6, -1
  j L(single)

L(done):
  lw s0, 0(sp)
  lw s1, 4(sp)
  lw s2, 8(sp)
  lw s3, 12(sp)
  lw s4, 16(sp)
  lw s5, 20(sp)
  lw s6, 24(sp)
  lw s7, 28(sp)
  lw s8, 32(sp)
  lw s9, 36(sp)
  lw s10, 40(sp)
  lw s11, 44(sp)
  addi sp, sp, 64
  li a0, OK
  ret

L(bad):
  li a0, BAD_DIMENSION
  ret
END_FUNCTION(NAME)

#undef PASTE_
#undef PASTE
#undef L
#undef AT_1
#undef AT_2
#undef AT_3
#undef STEP
#undef LOG2_STEP
#undef NAME
#undef LOG2_BYTES
#undef BYTES
#undef MULTIPLY_ADD
#undef FOUR_ROWS
#undef ONE_ROW
#undef CLEAR_FOUR
#undef CLEAR_ONE
#undef STORE_RESULT
