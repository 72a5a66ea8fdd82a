## Matrix files and memory, on the few functions of an I/O shim:
##
##   io_open_read(path), io_open_write(path)   a0: a file, or negative
##   io_read(file, to, n), io_write(file, from, n)   a0: how many bytes, fewer than n at the end, or negative
##   io_close(file)                            a0: 0, or negative
##   io_discard(file)                          makes a file that was opened for writing empty
##   io_grow(n)                                a0: n more bytes of memory, or 0
##   io_print(from, n)                         to the standard output; a0 as io_write's
#include "program.inc"

  .text
## int read_matrix(path, &rows, &columns): a0 = 0 and a1 = the elements, or a0 = an exit code.
##
## s0 the file, s1 where rows go, s2 where columns go, s3 the elements, s4 how many bytes.
FUNCTION(read_matrix)
  addi sp, sp, -32
  sw ra, 0(sp)
  sw s0, 4(sp)
  sw s1, 8(sp)
  sw s2, 12(sp)
  sw s3, 16(sp)
  sw s4, 20(sp)
  mv s1, a1
  mv s2, a2
  jal ra, io_open_read
  bltz a0, read_matrix_open_error
  mv s0, a0

  addi a1, sp, 24          ## the header: two words
  li a2, 8
  jal ra, read_all
  bnez a0, read_matrix_read_error
  lw t0, 24(sp)
  lw t1, 28(sp)
  blez t0, read_matrix_dimension_error
  blez t1, read_matrix_dimension_error
  mulhu t2, t0, t1         ## rows * columns must fit 29 bits: then four times as many bytes fit 31
  bnez t2, read_matrix_dimension_error
  mul t2, t0, t1
  srli t3, t2, 29
  bnez t3, read_matrix_dimension_error
  sw t0, 0(s1)
  sw t1, 0(s2)
  slli s4, t2, 2

  mv a0, t0
  mv a1, t1
  jal ra, allocate_words
  beqz a0, read_matrix_memory_error
  mv s3, a0
  mv a0, s0
  mv a1, s3
  mv a2, s4
  jal ra, read_all
  bnez a0, read_matrix_read_error

  mv a0, s0                ## and not a byte more
  addi a1, sp, 24
  li a2, 1
  jal ra, io_read
  bltz a0, read_matrix_read_error
  bnez a0, read_matrix_length_error

  mv a0, s0
  jal ra, io_close
  bltz a0, read_matrix_close_error
  mv a1, s3
  li a0, 0
read_matrix_done:
  lw ra, 0(sp)
  lw s0, 4(sp)
  lw s1, 8(sp)
  lw s2, 12(sp)
  lw s3, 16(sp)
  lw s4, 20(sp)
  addi sp, sp, 32
  ret

read_matrix_open_error:
  li a0, OPEN_ERROR
  j read_matrix_done
read_matrix_close_error:
  li a0, CLOSE_ERROR
  j read_matrix_done
read_matrix_read_error:
  li s4, READ_ERROR
  j read_matrix_give_up
read_matrix_length_error:
  li s4, LENGTH_ERROR
  j read_matrix_give_up
read_matrix_memory_error:
  li s4, MEMORY_ERROR
  j read_matrix_give_up
read_matrix_dimension_error:
  li s4, DIMENSION_ERROR
read_matrix_give_up:
  mv a0, s0
  jal ra, io_close
  mv a0, s4
  j read_matrix_done
END_FUNCTION(read_matrix)

## int read_all(file, to, n): a0 = 0 once n bytes are read, or 1. A read may bring fewer than asked for: then there is another.
FUNCTION(read_all)
  addi sp, sp, -16
  sw ra, 0(sp)
  sw s0, 4(sp)
  sw s1, 8(sp)
  sw s2, 12(sp)
  mv s0, a0
  mv s1, a1
  mv s2, a2
read_all_loop:
  beqz s2, read_all_whole
  mv a0, s0
  mv a1, s1
  mv a2, s2
  jal ra, io_read
  blez a0, read_all_short
  add s1, s1, a0
  sub s2, s2, a0
  j read_all_loop
read_all_short:
  li a0, 1
  j read_all_done
read_all_whole:
  li a0, 0
read_all_done:
  lw ra, 0(sp)
  lw s0, 4(sp)
  lw s1, 8(sp)
  lw s2, 12(sp)
  addi sp, sp, 16
  ret
END_FUNCTION(read_all)

## int write_all(file, from, n): the same for writing.
FUNCTION(write_all)
  addi sp, sp, -16
  sw ra, 0(sp)
  sw s0, 4(sp)
  sw s1, 8(sp)
  sw s2, 12(sp)
  mv s0, a0
  mv s1, a1
  mv s2, a2
write_all_loop:
  beqz s2, write_all_whole
  mv a0, s0
  mv a1, s1
  mv a2, s2
  jal ra, io_write
  blez a0, write_all_short
  add s1, s1, a0
  sub s2, s2, a0
  j write_all_loop
write_all_short:
  li a0, 1
  j write_all_done
write_all_whole:
  li a0, 0
write_all_done:
  lw ra, 0(sp)
  lw s0, 4(sp)
  lw s1, 8(sp)
  lw s2, 12(sp)
  addi sp, sp, 16
  ret
END_FUNCTION(write_all)

## int write_matrix(path, elements, rows, columns): a0 = 0, or an exit code. A file that can't be written to its end is left empty.
FUNCTION(write_matrix)
  addi sp, sp, -32
  sw ra, 0(sp)
  sw s0, 4(sp)
  sw s1, 8(sp)
  sw s2, 12(sp)
  mv s1, a1
  sw a2, 16(sp)            ## the header, as it is in the file
  sw a3, 20(sp)
  mul s2, a2, a3
  slli s2, s2, 2
  jal ra, io_open_write
  bltz a0, write_matrix_open_error
  mv s0, a0
  addi a1, sp, 16
  li a2, 8
  jal ra, write_all
  bnez a0, write_matrix_error
  mv a0, s0
  mv a1, s1
  mv a2, s2
  jal ra, write_all
  bnez a0, write_matrix_error
  mv a0, s0
  jal ra, io_close
  bltz a0, write_matrix_close_error
  li a0, 0
write_matrix_done:
  lw ra, 0(sp)
  lw s0, 4(sp)
  lw s1, 8(sp)
  lw s2, 12(sp)
  addi sp, sp, 32
  ret
write_matrix_open_error:
  li a0, OPEN_ERROR
  j write_matrix_done
write_matrix_close_error:
  li a0, CLOSE_ERROR
  j write_matrix_done
write_matrix_error:
  mv a0, s0
  jal ra, io_discard
  mv a0, s0
  jal ra, io_close
  li a0, WRITE_ERROR
  j write_matrix_done
END_FUNCTION(write_matrix)

## allocate_words(rows, columns): a0 = the address of rows * columns words, or 0. It only ever goes up; nothing is given back.
## More than 2^26 words (256 MiB) at once are refused, which also keeps the number of bytes from wrapping.
FUNCTION(allocate_words)
  mulhu t0, a0, a1
  bnez t0, allocate_words_none
  mul t0, a0, a1
  srli t1, t0, 26
  bnez t1, allocate_words_none
  slli a0, t0, 2
  j io_grow                ## returns to our caller
allocate_words_none:
  li a0, 0
  ret
END_FUNCTION(allocate_words)

## transpose(x, y, rows, columns): y[c][r] = x[r][c]. rows and columns are 1 or more.
FUNCTION(transpose)
  slli t0, a2, 2           ## bytes of a row of y
transpose_row:
  mv t1, a1                ## down a column of y
  mv t2, a3
transpose_column:
  lw t3, 0(a0)
  addi a0, a0, 4
  sw t3, 0(t1)
  add t1, t1, t0
  addi t2, t2, -1
  bnez t2, transpose_column
  addi a1, a1, 4
  addi a2, a2, -1
  bnez a2, transpose_row
  ret
END_FUNCTION(transpose)

## int print_line(n): n, which is not negative, and a line end. a0 = 0, or the exit code.
FUNCTION(print_line)
  addi sp, sp, -32
  sw ra, 0(sp)
  addi t0, sp, 31          ## digits from the last to the first
  li t1, 10                ## a line end, too
  sb t1, 0(t0)
print_line_digit:
  remu t2, a0, t1
  divu a0, a0, t1
  addi t2, t2, 48
  addi t0, t0, -1
  sb t2, 0(t0)
  bnez a0, print_line_digit
  mv a0, t0
  addi a1, sp, 32
  sub a1, a1, t0
  jal ra, io_print
  bltz a0, print_line_error
  li a0, 0
print_line_done:
  lw ra, 0(sp)
  addi sp, sp, 32
  ret
print_line_error:
  li a0, WRITE_ERROR
  j print_line_done
END_FUNCTION(print_line)
