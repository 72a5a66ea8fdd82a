// What the files of the program `classify` share.
#ifndef NNRUN_RISCV_PROGRAM_H
#define NNRUN_RISCV_PROGRAM_H
#include "macros.h"

// Exit codes, one a failure.
#define MEMORY_ERROR 26
#define OPEN_ERROR 27
#define CLOSE_ERROR 28
#define READ_ERROR 29
#define WRITE_ERROR 30
#define ARGUMENT_ERROR 31
#define LENGTH_ERROR 33
#define DIMENSION_ERROR 38


#endif
