; max(x, 0) and its gradient, elementwise. void NAME_run(const void* arguments, void* workspace, uint32_t phase, int64_t range):
; arguments in rdi, range in rcx.

%include "common.inc"
%include "arguments.inc"
%include "cuts.inc"

section .text

; y = x < 0 ? 0 : x. A comparison gives a mask for each lane, all bits 1 where it holds: x AND NOT mask. NaN < 0 does not hold, nor does
; -0 < 0: both stay what they are.
FUNCTION relu_f32_run
  ELEMENTWISE_RANGE
  mov rsi, [rdi + relu_f32.x]
  mov rdi, [rdi + relu_f32.y]
  lea rsi, [rsi + 4 * rax]
  lea rdi, [rdi + 4 * rax]
  pxor xmm2, xmm2
  sub rcx, 4
  jl .rest
.four:
  movups xmm0, [rsi]
  movaps xmm1, xmm0
  cmpltps xmm1, xmm2              ; mask: x < 0
  andnps xmm1, xmm0               ; NOT mask AND x
  movups [rdi], xmm1
  add rsi, 16
  add rdi, 16
  sub rcx, 4
  jge .four
.rest:
  add rcx, 4                      ; 0..3 are left
  jz .done
.one:
  movss xmm0, [rsi]
  movaps xmm1, xmm0
  cmpltss xmm1, xmm2
  andnps xmm1, xmm0
  movss [rdi], xmm1
  add rsi, 4
  add rdi, 4
  dec rcx
  jnz .one
.done:
  ret

; dx = y > 0 ? dy : 0
FUNCTION relu_backward_f32_run
  ELEMENTWISE_RANGE
  mov rsi, [rdi + relu_backward_f32.y]
  mov rdx, [rdi + relu_backward_f32.dy]
  mov rdi, [rdi + relu_backward_f32.dx]
  lea rsi, [rsi + 4 * rax]
  lea rdx, [rdx + 4 * rax]
  lea rdi, [rdi + 4 * rax]
  sub rcx, 4
  jl .rest
.four:
  movups xmm0, [rsi]
  movups xmm1, [rdx]
  pxor xmm2, xmm2
  cmpltps xmm2, xmm0              ; mask: 0 < y
  andps xmm2, xmm1
  movups [rdi], xmm2
  add rsi, 16
  add rdx, 16
  add rdi, 16
  sub rcx, 4
  jge .four
.rest:
  add rcx, 4
  jz .done
.one:
  movss xmm0, [rsi]
  movss xmm1, [rdx]
  pxor xmm2, xmm2
  cmpltss xmm2, xmm0
  andps xmm2, xmm1
  movss [rdi], xmm2
  add rsi, 4
  add rdx, 4
  add rdi, 4
  dec rcx
  jnz .one
.done:
  ret
