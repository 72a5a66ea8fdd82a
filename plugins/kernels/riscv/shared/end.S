## Where kernels return to when the host calls them: the host stops at this address, nothing here runs.
#include "macros.inc"

  .text
FUNCTION(kernel_end)
  ebreak
END_FUNCTION(kernel_end)
