// A convolution, one place of the output at a time. The file that includes this says:
//
//   NAME              of the function
//   MATMUL            the product that it is made of
//   LOG2_BYTES        of an element of x and weights
//   LOAD, STORE       the instructions for one element
//
// int NAME(fields): a0 is the address of the structure in windows.h. Returns in a0: 0, or 1 where a dimension is out of range.
//
// The window's elements are gathered into one row, the patch, with what lies outside of the picture put in; then the product of that row
// with the weights of all filters is a matrix product that we have already. Its results lie one behind the other in y.
// With groups, channels and filters are cut into as many parts, and each part of the filters sees its part of the channels.
//
// Registers that stay: s0 the fields, s1 this picture, s2 where the next results go, s3 and s4 the place of the window's first element
// (row and column; negative in the padding), s5 this group, s6 the patch's length, s7 pictures left, s8 rows left, s9 columns left,
// s10 this group's weights, s11 this group's bias or 0.

#define PASTE_(a, b) a ## _ ## b
#define PASTE(a, b) PASTE_(a, b)
#define L(label) PASTE(NAME, label)

FUNCTION(NAME)
  addi sp, sp, -16 * XBYTES
  STOREX ra, (0 * XBYTES)(sp)
  STOREX s0, (1 * XBYTES)(sp)
  STOREX s1, (2 * XBYTES)(sp)
  STOREX s2, (3 * XBYTES)(sp)
  STOREX s3, (4 * XBYTES)(sp)
  STOREX s4, (5 * XBYTES)(sp)
  STOREX s5, (6 * XBYTES)(sp)
  STOREX s6, (7 * XBYTES)(sp)
  STOREX s7, (8 * XBYTES)(sp)
  STOREX s8, (9 * XBYTES)(sp)
  STOREX s9, (10 * XBYTES)(sp)
  STOREX s10, (11 * XBYTES)(sp)
  STOREX s11, (12 * XBYTES)(sp)
  mv s0, a0

  GET(t0, CHANNELS)
  GET(t1, FILTERS)
  GET(t2, GROUPS)
  GET(s7, BATCH)
  blez t0, L(bad)
  blez t1, L(bad)
  blez t2, L(bad)
  bltz s7, L(bad)
  div t0, t0, t2             // channels of a group
  div t1, t1, t2             // filters of a group
  STOREX t0, (13 * XBYTES)(sp)
  STOREX t1, (14 * XBYTES)(sp)
  GET(t3, KERNEL_HEIGHT)
  GET(t4, KERNEL_WIDTH)
  blez t3, L(bad)
  blez t4, L(bad)
  mul s6, t3, t4
  mul s6, s6, t0

  GET(s1, X)
  GET(s2, Y)
  j L(pictures)

L(picture):
  GET(s8, OUTPUT_HEIGHT)
  GET(s3, PADDING_HEIGHT)
  neg s3, s3
  j L(rows)
L(row):
  GET(s9, OUTPUT_WIDTH)
  GET(s4, PADDING_WIDTH)
  neg s4, s4
  j L(columns)
L(column):
  li s5, 0
  GET(s10, WEIGHTS)
  GET(s11, BIAS)

L(group):
  // Gather the patch. t0: its next element; t1: rows of the window left, t2: this row; t3: columns left, t4: this column.
  GET(t0, PATCH)
  GET(t1, KERNEL_HEIGHT)
  mv t2, s3
L(window_row):
  GET(t3, KERNEL_WIDTH)
  mv t4, s4
L(window_column):
  LOADX t5, (13 * XBYTES)(sp)
  slli t6, t5, LOG2_BYTES
  add t6, t0, t6             // where this place's channels end in the patch
  GET(a1, INPUT_HEIGHT)
  bgeu t2, a1, L(outside)    // one unsigned comparison: negative numbers are large ones
  GET(a1, INPUT_WIDTH)
  bgeu t4, a1, L(outside)
  mul a2, t2, a1             // ((row * width + column) * channels + group * channels of a group), in bytes
  add a2, a2, t4
  GET(a1, CHANNELS)
  mul a2, a2, a1
  mul a3, s5, t5
  add a2, a2, a3
  slli a2, a2, LOG2_BYTES
  add a2, s1, a2
L(copy):
  LOAD a4, 0(a2)
  addi a2, a2, 1 << LOG2_BYTES
  STORE a4, 0(t0)
  addi t0, t0, 1 << LOG2_BYTES
  bne t0, t6, L(copy)
  j L(window_next)
L(outside):
  GET(a4, OUTSIDE)
L(fill):
  STORE a4, 0(t0)
  addi t0, t0, 1 << LOG2_BYTES
  bne t0, t6, L(fill)
L(window_next):
  GET(a1, DILATION_WIDTH)
  add t4, t4, a1
  addi t3, t3, -1
  bnez t3, L(window_column)
  GET(a1, DILATION_HEIGHT)
  add t2, t2, a1
  addi t1, t1, -1
  bnez t1, L(window_row)

  // One row of x, the patch, times the filters of this group.
  GET(a0, PATCH)
  mv a1, s10
  mv a2, s11
  mv a3, s2
  li a4, 1
  mv a5, s6
  LOADX a6, (14 * XBYTES)(sp)
  GET(a7, SHIFT)
  call MATMUL
  bnez a0, L(done)

  LOADX t0, (14 * XBYTES)(sp)
  slli t1, t0, 2
  add s2, s2, t1             // results are words
  beqz s11, L(no_bias)
  add s11, s11, t1
L(no_bias):
  mul t1, t0, s6
  slli t1, t1, LOG2_BYTES
  add s10, s10, t1
  addi s5, s5, 1
  GET(t0, GROUPS)
  bne s5, t0, L(group)

  GET(t0, STRIDE_WIDTH)
  add s4, s4, t0
  addi s9, s9, -1
L(columns):
  bgtz s9, L(column)
  GET(t0, STRIDE_HEIGHT)
  add s3, s3, t0
  addi s8, s8, -1
L(rows):
  bgtz s8, L(row)

  GET(t0, INPUT_HEIGHT)
  GET(t1, INPUT_WIDTH)
  GET(t2, CHANNELS)
  mul t0, t0, t1
  mul t0, t0, t2
  slli t0, t0, LOG2_BYTES
  add s1, s1, t0             // the next picture
  addi s7, s7, -1
L(pictures):
  bnez s7, L(picture)
  li a0, OK
  j L(done)

L(bad):
  li a0, BAD_DIMENSION
L(done):
  LOADX ra, (0 * XBYTES)(sp)
  LOADX s0, (1 * XBYTES)(sp)
  LOADX s1, (2 * XBYTES)(sp)
  LOADX s2, (3 * XBYTES)(sp)
  LOADX s3, (4 * XBYTES)(sp)
  LOADX s4, (5 * XBYTES)(sp)
  LOADX s5, (6 * XBYTES)(sp)
  LOADX s6, (7 * XBYTES)(sp)
  LOADX s7, (8 * XBYTES)(sp)
  LOADX s8, (9 * XBYTES)(sp)
  LOADX s9, (10 * XBYTES)(sp)
  LOADX s10, (11 * XBYTES)(sp)
  LOADX s11, (12 * XBYTES)(sp)
  addi sp, sp, 16 * XBYTES
  ret
END_FUNCTION(NAME)

#undef PASTE_
#undef PASTE
#undef L
#undef NAME
#undef MATMUL
#undef LOG2_BYTES
#undef LOAD
#undef STORE
