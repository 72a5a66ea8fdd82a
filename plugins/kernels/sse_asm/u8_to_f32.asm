; y = x * scale + offset, from bytes to floats: pixels on their way into the net. One multiplication and one addition, each rounded:
; the same bits as from every other library. void u8_to_f32_run(const void* arguments, void* workspace, uint32_t phase, int64_t range).

%include "common.inc"
%include "arguments.inc"
%include "cuts.inc"

section .text

; %1: four whole numbers of 32 bits; they become floats, scaled and shifted, at [rdi + %2].
%macro SCALE_FOUR 2
  cvtdq2ps %1, %1
  mulps %1, xmm4
  addps %1, xmm5
  movups [rdi + %2], %1
%endmacro

FUNCTION u8_to_f32_run
  ELEMENTWISE_RANGE
  BROADCAST xmm4, [rdi + u8_to_f32.scale]
  BROADCAST xmm5, [rdi + u8_to_f32.offset]
  mov rsi, [rdi + u8_to_f32.x]
  mov rdi, [rdi + u8_to_f32.y]
  add rsi, rax
  lea rdi, [rdi + 4 * rax]
  pxor xmm6, xmm6
  sub rcx, 16
  jl .rest
.sixteen:
  movups xmm0, [rsi]
  movaps xmm2, xmm0
  punpcklbw xmm0, xmm6            ; a zero byte behind each of the lower eight: eight numbers of 16 bits
  punpckhbw xmm2, xmm6            ; and of the upper eight
  movaps xmm1, xmm0
  movaps xmm3, xmm2
  punpcklwd xmm0, xmm6            ; the same again: numbers of 32 bits
  punpckhwd xmm1, xmm6
  punpcklwd xmm2, xmm6
  punpckhwd xmm3, xmm6
  SCALE_FOUR xmm0, 0
  SCALE_FOUR xmm1, 16
  SCALE_FOUR xmm2, 32
  SCALE_FOUR xmm3, 48
  add rsi, 16
  add rdi, 64
  sub rcx, 16
  jge .sixteen
.rest:
  add rcx, 16                     ; 0..15 are left
  jz .done
.one:
  movzx eax, byte [rsi]
  cvtsi2ss xmm0, eax
  mulss xmm0, xmm4
  addss xmm0, xmm5
  movss [rdi], xmm0
  inc rsi
  add rdi, 4
  dec rcx
  jnz .one
.done:
  ret
