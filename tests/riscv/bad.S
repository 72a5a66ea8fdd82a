## Functions that do what kernels must not do, one each.
#include "macros.inc"

  .text
FUNCTION(good)
  add a0, a0, a1
  ret
END_FUNCTION(good)

FUNCTION(kernel_end)
  ebreak
END_FUNCTION(kernel_end)

FUNCTION(loads_nowhere)
  nop
  lw t0, 0(a0)
  ret
END_FUNCTION(loads_nowhere)

FUNCTION(stores_nowhere)
  sb zero, 0(a0)
  ret
END_FUNCTION(stores_nowhere)

FUNCTION(stores_to_code)
  la t0, stores_to_code
  sw zero, 0(t0)
  ret
END_FUNCTION(stores_to_code)

FUNCTION(jumps_nowhere)
  jr a0
END_FUNCTION(jumps_nowhere)

FUNCTION(jumps_to_data)
  jr a0
END_FUNCTION(jumps_to_data)

FUNCTION(is_illegal)
  .word 0xffffffff
END_FUNCTION(is_illegal)

FUNCTION(calls_the_system)
  ecall
  ret
END_FUNCTION(calls_the_system)

FUNCTION(breaks)
  ebreak
END_FUNCTION(breaks)

FUNCTION(never_ends)
  j never_ends
END_FUNCTION(never_ends)

FUNCTION(counts_to)
  addi a0, a0, -1
  bnez a0, counts_to
  ret
END_FUNCTION(counts_to)

FUNCTION(changes_s3)
  li s3, 1
  ret
END_FUNCTION(changes_s3)

FUNCTION(changes_sp)
  addi sp, sp, -16
  ret
END_FUNCTION(changes_sp)

FUNCTION(changes_tp)
  li tp, 1
  ret
END_FUNCTION(changes_tp)

FUNCTION(writes_to_callers_stack)
  sw zero, 4(sp)
  ret
END_FUNCTION(writes_to_callers_stack)

FUNCTION(overflows_the_stack)
  addi sp, sp, -16
  sw ra, 0(sp)
  call overflows_the_stack
END_FUNCTION(overflows_the_stack)

FUNCTION(writes_behind)
  sw zero, 4(a0)
  ret
END_FUNCTION(writes_behind)
