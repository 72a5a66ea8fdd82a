// What all kernels share. The files go through the C preprocessor, so that one source serves RV32 and RV64, and GNU as and Venus:
// Venus knows neither .type and .size nor a semicolon between instructions, so semicolons become line ends there.
// Comments in code begin with ##, which is a comment to all assemblers and nothing to the preprocessor.
#ifndef NNRUN_RISCV_MACROS_H
#define NNRUN_RISCV_MACROS_H

#ifdef VENUS
#define FUNCTION(name) .globl name; name:
#define END_FUNCTION(name)
#else
// Symbols with type and size: who counts instructions learns from them where a function begins and ends.
#define FUNCTION(name) .globl name; .type name, @function; name:
#define END_FUNCTION(name) .size name, .-name
#endif

// A register's worth of memory: a pointer, or a number that counts something.
#if __riscv_xlen == 64
#define LOADX ld
#define STOREX sd
#define XBYTES 8
#else
#define LOADX lw
#define STOREX sw
#define XBYTES 4
#endif

// What kernels return in a0.
#define OK 0
#define BAD_DIMENSION 1

#endif
