## A program that lives as long as its standard input, and calls kernels for the host on the other side of two pipes.
##
## File 3 is memory that both share: it is mapped at 0x40000000. A request is nine 64-bit numbers: the address of a function, and a0 to a7.
## The answer is two: a0, and what the function did wrong, or 0: the number of a register that it should have kept (x2 to x4, x8, x9, x18 to x27),
## or STACK where it wrote to its caller's part of the stack. After a fault a0 is the signal's number, the second one is FAULT; 33 numbers
## follow: the address that was accessed, the pc, and x1 to x31; and the worker ends.
## Registers have XBYTES bytes, so that on RV32 the upper halves of the numbers in a request are skipped.
#include "macros.inc"

#define CANARY(number) (0x5a0 + number)
// The caller's part of the stack: words that differ from 0 in every byte.
#define STRIP_WORDS 16
#if __riscv_xlen == 64
#define STRIP(number) (0x5a5a5a5a5a5a5a00 + number)
#else
#define STRIP(number) (0x5a5a5a00 + number)
#endif
#define SHARED_BYTES 0x10000000
#define STACK 32
#define FAULT 33

#define SIGNAL_STACK_BYTES 65536
// Where Linux puts things: si_addr in siginfo_t, uc_mcontext in ucontext_t. The latter begins with the pc and x1 to x31.
#if __riscv_xlen == 64
#define SIGINFO_ADDRESS 16
#define CONTEXT_REGISTERS 176
#else
#define SIGINFO_ADDRESS 12
#define CONTEXT_REGISTERS 160
#endif

  .bss
  .balign 16
request:
  .skip 72
answer:
  .skip 16
fault:
  .skip 8 + 32 * 8
stack_pointer:
  .skip 8
action:                      ## struct sigaction: handler, flags, mask
  .skip 32
signal_stack:                ## stack_t: address, flags, bytes
  .skip 32
  .balign 16
signal_stack_memory:
  .skip SIGNAL_STACK_BYTES

  .text
FUNCTION(_start)
  li a0, 0x40000000
  li a1, SHARED_BYTES
  li a2, 3                   ## read and write
  li a3, 0x11                ## shared, at this very address
  li a4, 3
  li a5, 0
  li a7, 222                 ## mmap
  ecall
  bltz a0, worker_end

  la a0, signal_stack        ## a stack that overflows is a fault too, and needs another one to be told
  la t0, signal_stack_memory
  STOREX t0, 0(a0)
  li t0, SIGNAL_STACK_BYTES
  STOREX t0, (2 * XBYTES)(a0)
  li a1, 0
  li a7, 132                 ## sigaltstack
  ecall
  la t0, action
  la t1, worker_fault
  STOREX t1, 0(t0)
  li t1, 0x08000004          ## SA_ONSTACK, SA_SIGINFO
  STOREX t1, XBYTES(t0)
#define CATCH(signal) \
  li a0, signal; \
  la a1, action; \
  li a2, 0; \
  li a3, 8; \
  li a7, 134; \
  ecall
  CATCH(4)                   ## SIGILL
  CATCH(5)                   ## SIGTRAP
  CATCH(7)                   ## SIGBUS
  CATCH(11)                  ## SIGSEGV
  addi sp, sp, -STRIP_WORDS * XBYTES

worker_request:
  la s1, request
  li s2, 72
worker_read:
  li a0, 0
  mv a1, s1
  mv a2, s2
  li a7, 63                  ## read
  ecall
  blez a0, worker_end
  add s1, s1, a0
  sub s2, s2, a0
  bnez s2, worker_read

  mv t0, sp
  li t1, STRIP(0)
  li t2, STRIP(STRIP_WORDS)
worker_strip:
  STOREX t1, 0(t0)
  addi t0, t0, XBYTES
  addi t1, t1, 1
  bne t1, t2, worker_strip

  la t0, request
  LOADX t1, 0(t0)
  LOADX a0, 8(t0)
  LOADX a1, 16(t0)
  LOADX a2, 24(t0)
  LOADX a3, 32(t0)
  LOADX a4, 40(t0)
  LOADX a5, 48(t0)
  LOADX a6, 56(t0)
  LOADX a7, 64(t0)
  la t0, stack_pointer
  STOREX sp, 0(t0)
  li gp, CANARY(3)           ## nobody here needs these two
  li tp, CANARY(4)
  li s0, CANARY(8)
  li s1, CANARY(9)
  li s2, CANARY(18)
  li s3, CANARY(19)
  li s4, CANARY(20)
  li s5, CANARY(21)
  li s6, CANARY(22)
  li s7, CANARY(23)
  li s8, CANARY(24)
  li s9, CANARY(25)
  li s10, CANARY(26)
  li s11, CANARY(27)
  jalr t1

#define KEPT(register, number) \
  li t1, number; \
  li t2, CANARY(number); \
  bne register, t2, worker_answer
  la t0, stack_pointer
  LOADX t2, 0(t0)
  li t1, 2
  bne sp, t2, worker_answer
  KEPT(gp, 3)
  KEPT(tp, 4)
  KEPT(s0, 8)
  KEPT(s1, 9)
  KEPT(s2, 18)
  KEPT(s3, 19)
  KEPT(s4, 20)
  KEPT(s5, 21)
  KEPT(s6, 22)
  KEPT(s7, 23)
  KEPT(s8, 24)
  KEPT(s9, 25)
  KEPT(s10, 26)
  KEPT(s11, 27)

  mv t0, sp
  li t2, STRIP(0)
  li t3, STRIP(STRIP_WORDS)
  li t1, STACK
worker_check:
  LOADX t4, 0(t0)
  bne t4, t2, worker_answer
  addi t0, t0, XBYTES
  addi t2, t2, 1
  bne t2, t3, worker_check
  li t1, 0
worker_answer:
  la t0, stack_pointer
  LOADX sp, 0(t0)
  la t0, answer
  STOREX a0, 0(t0)
  STOREX t1, 8(t0)
  li a0, 1
  mv a1, t0
  li a2, 16
  li a7, 64                  ## write
  ecall
  li t0, 16
  beq a0, t0, worker_request
worker_end:
  li a0, 0
  li a7, 93                  ## exit
  ecall

worker_fault:                ## called by the kernel: a0 the signal, a1 siginfo_t, a2 ucontext_t
  la t0, answer
  STOREX a0, 0(t0)
  li t1, FAULT
  STOREX t1, 8(t0)
  LOADX t1, SIGINFO_ADDRESS(a1)
  STOREX t1, 16(t0)
  addi t0, t0, 24
  addi a2, a2, CONTEXT_REGISTERS
  li t2, 32
worker_registers:
  LOADX t1, 0(a2)
  STOREX t1, 0(t0)
  addi a2, a2, XBYTES
  addi t0, t0, 8
  addi t2, t2, -1
  bnez t2, worker_registers
  li a0, 1
  la a1, answer
  li a2, 16 + 33 * 8
  li a7, 64                  ## write
  ecall
  j worker_end
END_FUNCTION(_start)

## int vector_bytes(): how long vectors are. Where there are none, an illegal instruction.
FUNCTION(vector_bytes)
  csrr a0, vlenb
  ret
END_FUNCTION(vector_bytes)
