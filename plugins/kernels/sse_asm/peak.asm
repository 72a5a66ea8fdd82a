; What this CPU can do with SSE: for shares of it in `nnrun bench`. There is no fused multiply-add in SSE: a multiplication and an
; addition take its place. void NAME_run(const void* arguments, void* workspace, uint32_t phase, int64_t range): one range.

%include "common.inc"
%include "arguments.inc"

section .rodata align=16

factor: dd 0.999999
offset: dd 1.0e-6

%assign chains 12                 ; independent ones: enough to hide how long an operation takes

section .text

; *result = the sum of all lanes of xmm0
%macro STORE_SUM 1
  movhlps xmm1, xmm0
  addps xmm0, xmm1
  movaps xmm1, xmm0
  shufps xmm1, xmm1, 0x55
  addss xmm0, xmm1
  mov rax, %1
  movss [rax], xmm0
%endmacro

FUNCTION fma_peak_f32_run
  BROADCAST xmm12, [factor]
  BROADCAST xmm13, [offset]
%assign i 0
%rep chains
  pxor xmm %+ i, xmm %+ i
%assign i i + 1
%endrep
  mov rcx, [rdi + fma_peak_f32.repeats]
  imul rax, rcx, chains * 4 * 2   ; each: 4 lanes, 2 operations
  cvtsi2sd xmm14, rax
  mov rax, [rdi + fma_peak_f32.operations]
  movsd [rax], xmm14
  jmp .check
.repeat:
%assign i 0
%rep chains
  mulps xmm %+ i, xmm12
  addps xmm %+ i, xmm13
%assign i i + 1
%endrep
.check:
  dec rcx
  jge .repeat
%assign i 1
%rep chains - 1
  addps xmm0, xmm %+ i
%assign i i + 1
%endrep
  STORE_SUM [rdi + fma_peak_f32.result]
  ret

FUNCTION read_peak_f32_run
%assign i 0
%rep 8
  pxor xmm %+ i, xmm %+ i
%assign i i + 1
%endrep
  mov rsi, [rdi + read_peak_f32.x]
  mov rcx, [rdi + read_peak_f32.count]
  sub rcx, 32
  jl .rest
.lines:                           ; two cache lines
%assign i 0
%rep 8
  movups xmm8, [rsi + 16 * i]
  addps xmm %+ i, xmm8
%assign i i + 1
%endrep
  add rsi, 128
  sub rcx, 32
  jge .lines
.rest:
  add rcx, 32                     ; 0..31 are left
  jz .sum
.one:
  addss xmm0, [rsi]
  add rsi, 4
  dec rcx
  jnz .one
.sum:
%assign i 1
%rep 7
  addps xmm0, xmm %+ i
%assign i i + 1
%endrep
  STORE_SUM [rdi + read_peak_f32.result]
  ret
