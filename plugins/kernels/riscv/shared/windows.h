// Windows that slide over pictures: what conv2d and maxpool2d take. One structure of register-sized fields, in this order; host code
// writes it (see windows.hpp). Pictures are (batch, height, width, channels), row by row, channels together.
// Window i of an axis covers the places i * stride - padding + t * dilation, for t from 0 to kernel - 1.
#ifndef NNRUN_RISCV_WINDOWS_H
#define NNRUN_RISCV_WINDOWS_H

#define FIELD_BATCH 0
#define FIELD_INPUT_HEIGHT 1
#define FIELD_INPUT_WIDTH 2
#define FIELD_OUTPUT_HEIGHT 3
#define FIELD_OUTPUT_WIDTH 4
#define FIELD_KERNEL_HEIGHT 5
#define FIELD_KERNEL_WIDTH 6
#define FIELD_STRIDE_HEIGHT 7
#define FIELD_STRIDE_WIDTH 8
#define FIELD_DILATION_HEIGHT 9
#define FIELD_DILATION_WIDTH 10
#define FIELD_PADDING_HEIGHT 11
#define FIELD_PADDING_WIDTH 12
#define FIELD_CHANNELS 13
#define FIELD_FILTERS 14
#define FIELD_GROUPS 15
#define FIELD_OUTSIDE 16
#define FIELD_SHIFT 17
#define FIELD_X 18
#define FIELD_WEIGHTS 19
#define FIELD_BIAS 20
#define FIELD_Y 21
#define FIELD_PATCH 22
#define FIELDS 23

// register = structure.FIELD, where the structure's address is in s0
#define GET(register, field) LOADX register, (FIELD_##field * XBYTES)(s0)

#endif
