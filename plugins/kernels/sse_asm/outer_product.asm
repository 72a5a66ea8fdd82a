; A column times a row, added to what is there: c[i][j] = base[i][j] + a[i] * b[j]. With one sample in the batch, that is its share in the
; gradient of a dense layer's weights.

%include "common.inc"
%include "block.inc"

section .text

; void outer_product(const block*); the depth is 1, and the row of B lies in one piece.
FUNCTION outer_product
  BROADCAST xmm3, [rdi + block.floor]
  mov rsi, [rdi + block.a]
  mov r8, [rdi + block.c]
  mov r9, [rdi + block.base]
  mov r10, [rdi + block.rows]
.row:
  BROADCAST xmm2, [rsi]                 ; a[i]
  mov rdx, [rdi + block.b]
  xor eax, eax                          ; rax: bytes from the row's first element
  mov rcx, [rdi + block.columns]
  sub rcx, 4
  jl .rest
.four:
  movups xmm0, [rdx + rax]
  mulps xmm0, xmm2
  movups xmm1, [r9 + rax]
  addps xmm0, xmm1
  AT_LEAST xmm0, xmm3, xmm1
  movups [r8 + rax], xmm0
  add rax, 16
  sub rcx, 4
  jge .four
.rest:
  add rcx, 4
  jz .row_done
.one:
  movss xmm0, [rdx + rax]
  mulss xmm0, xmm2
  addss xmm0, [r9 + rax]
  AT_LEAST xmm0, xmm3, xmm1
  movss [r8 + rax], xmm0
  add rax, 4
  dec rcx
  jnz .one
.row_done:
  add rsi, [rdi + block.a_row]
  add r8, [rdi + block.c_row]
  add r9, [rdi + block.base_row]
  dec r10
  jnz .row
  ret
