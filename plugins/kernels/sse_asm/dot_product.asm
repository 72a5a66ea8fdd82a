; Sums of products: c[i][j] = row i of A times row j of B as it is stored. docs/x86-assembly.md goes through dot_product line by line.

%include "common.inc"
%include "block.inc"

section .text

; float dot_product(const float* a, const float* b, int64_t count): the sum of a[i] * b[i]. rdi is a, rsi is b, rdx is how many are left;
; the result is lane 0 of xmm0.
;
; Four registers of sums, sixteen sums in all: an addition takes three or four cycles, but the next may start at once if it does not need
; the result of the one before.
FUNCTION dot_product
  pxor xmm0, xmm0
  pxor xmm1, xmm1
  pxor xmm2, xmm2
  pxor xmm3, xmm3
  sub rdx, 16
  jl .fewer_than_sixteen
.sixteen:
  movups xmm4, [rdi]
  movups xmm5, [rsi]
  mulps xmm4, xmm5
  addps xmm0, xmm4
  movups xmm4, [rdi + 16]
  movups xmm5, [rsi + 16]
  mulps xmm4, xmm5
  addps xmm1, xmm4
  movups xmm4, [rdi + 32]
  movups xmm5, [rsi + 32]
  mulps xmm4, xmm5
  addps xmm2, xmm4
  movups xmm4, [rdi + 48]
  movups xmm5, [rsi + 48]
  mulps xmm4, xmm5
  addps xmm3, xmm4
  add rdi, 64
  add rsi, 64
  sub rdx, 16
  jge .sixteen
.fewer_than_sixteen:
  add rdx, 12                     ; it was 16 too low, and is 4 too low now
  jl .fewer_than_four
.four:
  movups xmm4, [rdi]
  movups xmm5, [rsi]
  mulps xmm4, xmm5
  addps xmm0, xmm4
  add rdi, 16
  add rsi, 16
  sub rdx, 4
  jge .four
.fewer_than_four:
  ; Sixteen sums become one, always in the same order.
  addps xmm0, xmm1
  addps xmm2, xmm3
  addps xmm0, xmm2                ; s0 s1 s2 s3
  movhlps xmm1, xmm0              ; s2 s3 (upper half of xmm0 to the lower of xmm1)
  addps xmm0, xmm1                ; s0+s2 s1+s3
  movaps xmm1, xmm0
  shufps xmm1, xmm1, 0x55         ; lane 1 to all lanes
  addss xmm0, xmm1                ; s0+s2+s1+s3
  add rdx, 4                      ; 0..3 are left
  jz .done
.one:
  movss xmm4, [rdi]
  mulss xmm4, [rsi]
  addss xmm0, xmm4
  add rdi, 4
  add rsi, 4
  dec rdx
  jnz .one
.done:
  ret

; A block of C whose rows of A and rows of B, as it is stored, both lie in one piece. void dot_products(const block*).
FUNCTION dot_products
  push rbp
  mov rbp, rsp
  push rbx
  push r12
  push r13
  push r14
  push r15
  mov rbx, rdi                    ; rbx: the block
  mov r12, [rbx + block.a]        ; r12: a row of A
  mov r13, [rbx + block.c]        ; r13: a row of C
  mov r14, [rbx + block.base]     ; r14: a row of what is there before
  mov r15, [rbx + block.rows]
.row:
  mov r8, [rbx + block.b]         ; r8: a column of op(B)
  xor r9d, r9d                    ; r9: its number
.column:
  mov rdi, r12
  mov rsi, r8
  mov rdx, [rbx + block.depth]
  call dot_product                ; ours: it leaves r8 and r9 alone
  addss xmm0, [r14 + 4 * r9]
  movss xmm1, [rbx + block.floor]
  maxss xmm1, xmm0                ; NaN stays NaN: see AT_LEAST
  movss [r13 + 4 * r9], xmm1
  add r8, [rbx + block.b_column]
  inc r9
  cmp r9, [rbx + block.columns]
  jl .column
  add r12, [rbx + block.a_row]
  add r13, [rbx + block.c_row]
  add r14, [rbx + block.base_row]
  dec r15
  jnz .row
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret
