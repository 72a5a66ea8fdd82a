## Max-pooling of words and of bytes.
#include "macros.inc"
#include "windows.inc"

  .text

#define NAME maxpool2d_s32
#define LOG2_BYTES 2
#define LOAD lw
#define STORE sw
#define LOWEST -2147483648
#define VLOAD vle32.v
#define VSTORE vse32.v
#define VMAXIMUM vmax.vv
#define VTYPE e32, m8
#include "maxpool2d.inc"

#define NAME maxpool2d_u8
#define LOG2_BYTES 0
#define LOAD lbu
#define STORE sb
#define LOWEST 0
#define VLOAD vle8.v
#define VSTORE vse8.v
#define VMAXIMUM vmaxu.vv
#define VTYPE e8, m8
#include "maxpool2d.inc"
