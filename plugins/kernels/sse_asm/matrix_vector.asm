; A vector times a matrix, row by row of A: c[j] = base[j] + sum over p of a[p] * b[p][j], for 16, 4 or 1 columns j at a time, whose sums
; stay in registers while p goes down the rows of B. Rows of B lie in one piece.

%include "common.inc"
%include "block.inc"

section .text

; void matrix_vector(const block*)
FUNCTION matrix_vector
  push rbp
  mov rbp, rsp
  push rbx
  push r12
  push r13
  push r14
  BROADCAST xmm9, [rdi + block.floor]
  mov rbx, [rdi + block.a]              ; rbx: the row of A
  mov r12, [rdi + block.c]              ; r12: the row of C
  mov r13, [rdi + block.base]           ; r13: the row of what is there before
  mov r14, [rdi + block.rows]
  mov r9, [rdi + block.b_depth]
.row:
  mov rsi, [rdi + block.b]              ; rsi: the top of the columns at hand
  mov r10, r13
  mov r11, r12
  mov rdx, [rdi + block.columns]        ; rdx: columns to do

.sixteen:
  cmp rdx, 16
  jl .four
  movups xmm0, [r10]
  movups xmm1, [r10 + 16]
  movups xmm2, [r10 + 32]
  movups xmm3, [r10 + 48]
  mov rax, rsi                          ; rax: down the rows of B
  mov r8, rbx                           ; r8: along the row of A
  mov rcx, [rdi + block.depth]
.sixteen_rows:
  BROADCAST xmm8, [r8]
  movups xmm4, [rax]
  movups xmm5, [rax + 16]
  movups xmm6, [rax + 32]
  movups xmm7, [rax + 48]
  mulps xmm4, xmm8
  mulps xmm5, xmm8
  mulps xmm6, xmm8
  mulps xmm7, xmm8
  addps xmm0, xmm4
  addps xmm1, xmm5
  addps xmm2, xmm6
  addps xmm3, xmm7
  add r8, 4
  add rax, r9
  dec rcx
  jnz .sixteen_rows
  AT_LEAST xmm0, xmm9, xmm4
  AT_LEAST xmm1, xmm9, xmm4
  AT_LEAST xmm2, xmm9, xmm4
  AT_LEAST xmm3, xmm9, xmm4
  movups [r11], xmm0
  movups [r11 + 16], xmm1
  movups [r11 + 32], xmm2
  movups [r11 + 48], xmm3
  add rsi, 64
  add r10, 64
  add r11, 64
  sub rdx, 16
  jmp .sixteen

.four:
  cmp rdx, 4
  jl .one
  movups xmm0, [r10]
  mov rax, rsi
  mov r8, rbx
  mov rcx, [rdi + block.depth]
.four_rows:
  BROADCAST xmm8, [r8]
  movups xmm4, [rax]
  mulps xmm4, xmm8
  addps xmm0, xmm4
  add r8, 4
  add rax, r9
  dec rcx
  jnz .four_rows
  AT_LEAST xmm0, xmm9, xmm4
  movups [r11], xmm0
  add rsi, 16
  add r10, 16
  add r11, 16
  sub rdx, 4
  jmp .four

.one:
  test rdx, rdx
  jz .row_done
  movss xmm0, [r10]
  mov rax, rsi
  mov r8, rbx
  mov rcx, [rdi + block.depth]
.one_rows:
  movss xmm4, [rax]
  mulss xmm4, [r8]
  addss xmm0, xmm4
  add r8, 4
  add rax, r9
  dec rcx
  jnz .one_rows
  AT_LEAST xmm0, xmm9, xmm4
  movss [r11], xmm0
  add rsi, 4
  add r10, 4
  add r11, 4
  dec rdx
  jmp .one

.row_done:
  add rbx, [rdi + block.a_row]
  add r12, [rdi + block.c_row]
  add r13, [rdi + block.base_row]
  dec r14
  jnz .row
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret
