// The largest of each window, one place of the output at a time. The file that includes this says NAME, LOG2_BYTES, LOAD and STORE as for
// conv2d.h, LOWEST, which is below or equal to all elements, and for vectors VLOAD, VSTORE, VMAXIMUM and VTYPE.
//
// int NAME(fields): a0 is the address of the structure in windows.h. Returns in a0: 0, or 1 where a dimension is out of range.
//
// The place's channels start as the lowest number; then each element of the window that lies in the picture may raise them.
//
// Registers that stay: s0 the fields, s1 this picture, s2 this place of y, s3 and s4 the place of the window's first element, s5 pictures
// left, s6 rows left, s7 columns left, s8 bytes of a place (channels).

#define PASTE_(a, b) a ## _ ## b
#define PASTE(a, b) PASTE_(a, b)
#define L(label) PASTE(NAME, label)

FUNCTION(NAME)
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
  mv s0, a0

  GET(s8, CHANNELS)
  GET(s5, BATCH)
  GET(t0, KERNEL_HEIGHT)
  GET(t1, KERNEL_WIDTH)
  blez s8, L(bad)
  bltz s5, L(bad)
  blez t0, L(bad)
  blez t1, L(bad)
  slli s8, s8, LOG2_BYTES
  GET(s1, X)
  GET(s2, Y)
  j L(pictures)

L(picture):
  GET(s6, OUTPUT_HEIGHT)
  GET(s3, PADDING_HEIGHT)
  neg s3, s3
  j L(rows)
L(row):
  GET(s7, OUTPUT_WIDTH)
  GET(s4, PADDING_WIDTH)
  neg s4, s4
  j L(columns)
L(column):
  mv t0, s2
  add t6, s2, s8             // the end of this place of y
  li a4, LOWEST
L(lowest):
  STORE a4, 0(t0)
  addi t0, t0, 1 << LOG2_BYTES
  bne t0, t6, L(lowest)

  GET(t1, KERNEL_HEIGHT)     // rows of the window left
  mv t2, s3                  // this row
L(window_row):
  GET(a1, INPUT_HEIGHT)
  bgeu t2, a1, L(window_row_next)
  GET(t3, KERNEL_WIDTH)      // columns left
  mv t4, s4                  // this column
L(window_column):
  GET(a1, INPUT_WIDTH)
  bgeu t4, a1, L(window_column_next)
  mul a2, t2, a1             // (row * width + column) * bytes of a place
  add a2, a2, t4
  mul a2, a2, s8
  add a2, s1, a2
  mv t0, s2
#ifdef __riscv_vector
  GET(a3, CHANNELS)
L(raise):
  vsetvli a4, a3, VTYPE, ta, ma
  VLOAD v0, (a2)
  VLOAD v8, (t0)
  VMAXIMUM v0, v0, v8
  VSTORE v0, (t0)
  slli a5, a4, LOG2_BYTES
  add a2, a2, a5
  add t0, t0, a5
  sub a3, a3, a4
  bnez a3, L(raise)
#else
L(raise):
  LOAD a4, 0(a2)
  LOAD a5, 0(t0)
  addi a2, a2, 1 << LOG2_BYTES
  ble a4, a5, L(not_larger)
  STORE a4, 0(t0)
L(not_larger):
  addi t0, t0, 1 << LOG2_BYTES
  bne t0, t6, L(raise)
#endif
L(window_column_next):
  GET(a1, DILATION_WIDTH)
  add t4, t4, a1
  addi t3, t3, -1
  bnez t3, L(window_column)
L(window_row_next):
  GET(a1, DILATION_HEIGHT)
  add t2, t2, a1
  addi t1, t1, -1
  bnez t1, L(window_row)

  mv s2, t6
  GET(t0, STRIDE_WIDTH)
  add s4, s4, t0
  addi s7, s7, -1
L(columns):
  bgtz s7, L(column)
  GET(t0, STRIDE_HEIGHT)
  add s3, s3, t0
  addi s6, s6, -1
L(rows):
  bgtz s6, L(row)

  GET(t0, INPUT_HEIGHT)
  GET(t1, INPUT_WIDTH)
  mul t0, t0, t1
  mul t0, t0, s8
  add s1, s1, t0             // the next picture
  addi s5, s5, -1
L(pictures):
  bnez s5, L(picture)
  li a0, OK
  j L(done)

L(bad):
  li a0, BAD_DIMENSION
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
  addi sp, sp, 12 * XBYTES
  ret
END_FUNCTION(NAME)

#undef PASTE_
#undef PASTE
#undef L
#undef NAME
#undef LOG2_BYTES
#undef LOAD
#undef STORE
#undef LOWEST
#undef VLOAD
#undef VSTORE
#undef VMAXIMUM
#undef VTYPE
