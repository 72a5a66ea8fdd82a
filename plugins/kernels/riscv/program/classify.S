## classify: a neural network of two layers over matrix files, in assembly alone.
##
##   classify [-q16] M0 M1 INPUT OUTPUT
##
##   M0      (hidden x inputs)    weights of the first layer
##   M1      (classes x hidden)   weights of the second
##   INPUT   (inputs x samples)   a sample a column
##   OUTPUT  (classes x samples)  written: M1 * relu(M0 * INPUT)
##
## and prints the class of each sample, a line each: the row of the largest score, the first of equal ones.
## A matrix file holds 32-bit little-endian integers: rows, columns, then the elements row by row.
## Integers are taken as they are, sums keep 32 bits; with -q16 they are Q16.16, and products have 64 bits.
##
## Exit codes: 0 done; 26 out of memory; 27 a file does not open; 28 closing failed; 29 reading failed, or a file is too short;
## 30 writing failed (OUTPUT is empty then); 31 wrong arguments; 33 a file is longer than its matrix; 38 a dimension is less than 1 or
## too large, or matrices do not fit together.
##
## Nothing is written before everything is computed. What depends on the system is in io_linux.S and io_venus.S.
#include "program.inc"

  .text
## int classify(argc, argv): returns the exit code.
##
## Registers that stay: s0 argv, s1 1 with -q16, s2 M0, s3 M1, s4 INPUT with samples as rows, s5 hidden values, s6 scores,
## s7 inputs, s8 hidden, s9 classes, s10 samples. Two words on the stack receive dimensions.
FUNCTION(classify)
  addi sp, sp, -64
  sw ra, 0(sp)
  sw s0, 4(sp)
  sw s1, 8(sp)
  sw s2, 12(sp)
  sw s3, 16(sp)
  sw s4, 20(sp)
  sw s5, 24(sp)
  sw s6, 28(sp)
  sw s7, 32(sp)
  sw s8, 36(sp)
  sw s9, 40(sp)
  sw s10, 44(sp)

  ## Arguments: -q16 moves the others by one.
  mv s0, a1
  li s1, 0
  li t0, 5
  beq a0, t0, classify_read
  li t0, 6
  bne a0, t0, classify_arguments
  lw t1, 4(s0)             ## its five bytes, one by one: it may begin anywhere
  lbu t2, 0(t1)
  li t3, 45                ## '-'
  bne t2, t3, classify_arguments
  lbu t2, 1(t1)
  li t3, 113               ## 'q'
  bne t2, t3, classify_arguments
  lbu t2, 2(t1)
  li t3, 49                ## '1'
  bne t2, t3, classify_arguments
  lbu t2, 3(t1)
  li t3, 54                ## '6'
  bne t2, t3, classify_arguments
  lbu t2, 4(t1)
  bnez t2, classify_arguments
  li s1, 1
  addi s0, s0, 4

classify_read:
  lw a0, 4(s0)
  addi a1, sp, 48
  addi a2, sp, 52
  jal ra, read_matrix
  bnez a0, classify_done
  mv s2, a1
  lw s8, 48(sp)
  lw s7, 52(sp)

  lw a0, 8(s0)
  addi a1, sp, 48
  addi a2, sp, 52
  jal ra, read_matrix
  bnez a0, classify_done
  mv s3, a1
  lw s9, 48(sp)
  lw t0, 52(sp)
  bne t0, s8, classify_dimensions

  lw a0, 12(s0)
  addi a1, sp, 48
  addi a2, sp, 52
  jal ra, read_matrix
  bnez a0, classify_done
  mv s5, a1
  lw s10, 52(sp)
  lw t0, 48(sp)
  bne t0, s7, classify_dimensions

  ## The products take samples as rows: INPUT is transposed once.
  mv a0, s7
  mv a1, s10
  jal ra, allocate_words
  beqz a0, classify_memory
  mv s4, a0
  mv a0, s5
  mv a1, s4
  mv a2, s7
  mv a3, s10
  jal ra, transpose

  ## hidden = relu(INPUT * M0)
  mv a0, s10
  mv a1, s8
  jal ra, allocate_words
  beqz a0, classify_memory
  mv s5, a0
  mv a0, s4
  mv a1, s2
  mv a3, s5
  mv a5, s7
  mv a6, s8
  jal ra, classify_product
  bnez a0, classify_dimensions
  mv a0, s5
  mv a1, s5
  mul a2, s10, s8          ## allocate_words has seen to it that this is small
  jal ra, relu_s32
  bnez a0, classify_dimensions

  ## scores = hidden * M1
  mv a0, s10
  mv a1, s9
  jal ra, allocate_words
  beqz a0, classify_memory
  mv s6, a0
  mv a0, s5
  mv a1, s3
  mv a3, s6
  mv a5, s8
  mv a6, s9
  jal ra, classify_product
  bnez a0, classify_dimensions

  ## OUTPUT has a sample a column again.
  mv a0, s10
  mv a1, s9
  jal ra, allocate_words
  beqz a0, classify_memory
  mv s4, a0
  mv a0, s6
  mv a1, s4
  mv a2, s10
  mv a3, s9
  jal ra, transpose
  lw a0, 16(s0)
  mv a1, s4
  mv a2, s9
  mv a3, s10
  jal ra, write_matrix
  bnez a0, classify_done

  ## Classes, to where the hidden values were: there are as many of these a sample, or more.
  mv a0, s6
  mv a1, s5
  mv a2, s10
  mv a3, s9
  jal ra, argmax_s32
  bnez a0, classify_dimensions
classify_print:
  lw a0, 0(s5)
  jal ra, print_line
  bnez a0, classify_done
  addi s5, s5, 4
  addi s10, s10, -1
  bnez s10, classify_print
  li a0, 0

classify_done:
  lw ra, 0(sp)
  lw s0, 4(sp)
  lw s1, 8(sp)
  lw s2, 12(sp)
  lw s3, 16(sp)
  lw s4, 20(sp)
  lw s5, 24(sp)
  lw s6, 28(sp)
  lw s7, 32(sp)
  lw s8, 36(sp)
  lw s9, 40(sp)
  lw s10, 44(sp)
  addi sp, sp, 64
  ret

classify_arguments:
  li a0, ARGUMENT_ERROR
  j classify_done
classify_memory:
  li a0, MEMORY_ERROR
  j classify_done
classify_dimensions:
  li a0, DIMENSION_ERROR
  j classify_done

## The product in the arithmetic that is asked for: it has the address to come back to in ra, and returns there itself.
classify_product:
  li a2, 0                 ## no bias
  mv a4, s10
  li a7, 0                 ## no shift
  beqz s1, classify_integers
  j matmul_q16
classify_integers:
  j matmul_s32
END_FUNCTION(classify)
