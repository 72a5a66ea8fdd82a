## int requantize(x, multiplier, shift, y, rows, columns, per_column)
##
## y = floor(x * multiplier / 2^shift), brought to 0..255: from 32-bit sums to bytes. multiplier and shift have one entry a column where
## per_column is 1, otherwise one for all. A multiplier is 0 or more, a shift 0 to 62.
##
##   a0 x (rows x columns words)   a1 multiplier   a2 shift   a3 y (rows x columns bytes)   a4 rows   a5 columns   a6 per_column
## Returns in a0: 0, or 1 where a dimension is negative.
#include "../shared/macros.inc"

  .text
FUNCTION(requantize)
  bltz a4, requantize_bad
  bltz a5, requantize_bad
  beqz a5, requantize_done   ## rows of nothing
  slli a6, a6, 2             ## how far to the next column's multiplier: 4 bytes or none
  j requantize_rows

requantize_row:
  mv t0, a1
  mv t1, a2
  mv a7, a5                  ## columns left
requantize_column:
  lw t2, 0(a0)
  lw t3, 0(t0)
  lw t4, 0(t1)
  mulh t5, t2, t3            ## the product's high half
  mul t6, t2, t3             ## and its low half
  bltz t5, requantize_zero   ## negative: floor of it is, too
  li t2, 32
  bge t4, t2, requantize_high
  beqz t4, requantize_shifted

  ## shift is 1..31: low = low >> shift | high << (32 - shift); high = high >> shift
  sub t2, t2, t4
  sll t2, t5, t2
  srl t6, t6, t4
  or t6, t6, t2
  srl t5, t5, t4
requantize_shifted:
  bnez t5, requantize_most   ## 2^32 and more
requantize_compare:
  li t2, 255
  bleu t6, t2, requantize_store
requantize_most:
  li t6, 255
  j requantize_store
requantize_high:             ## shift is 32..62: only the high half is left of the product
  addi t4, t4, -32
  srl t6, t5, t4
  j requantize_compare
requantize_zero:
  li t6, 0
requantize_store:
  sb t6, 0(a3)
  addi a3, a3, 1
  addi a0, a0, 4
  add t0, t0, a6
  add t1, t1, a6
  addi a7, a7, -1
  bnez a7, requantize_column
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
