; Softmax of rows of logits, and its loss. exp(), sums and logarithms are in double precision.
; void NAME_run(const void* arguments, void* workspace, uint32_t phase, int64_t range): a range is some rows.

%include "common.inc"
%include "arguments.inc"
%include "cuts.inc"

extern exponential
extern logarithm

section .rodata align=16

one: dq 1.0

section .text

; One row: rsi its floats, rdx how many, rdi where exp(x - largest) goes as floats (may be rsi), or 0.
; xmm8 = the largest, in both lanes; xmm9 = the sum of the exponentials; both doubles. Moves rsi and rdi; uses rcx, xmm0..xmm3.
; A NaN anywhere makes the sum NaN.
exponentials:
  ; The largest, in four lanes first.
  BROADCAST xmm8, [rsi]
  mov rcx, rdx
  lea rax, [rsi]
  sub rcx, 4
  jl .largest_rest
.largest_four:
  movups xmm0, [rax]
  maxps xmm8, xmm0
  add rax, 16
  sub rcx, 4
  jge .largest_four
.largest_rest:
  add rcx, 4
  jz .largest_lanes
.largest_one:
  maxss xmm8, [rax]
  add rax, 4
  dec rcx
  jnz .largest_one
.largest_lanes:
  movhlps xmm0, xmm8
  maxps xmm8, xmm0
  movaps xmm0, xmm8
  shufps xmm0, xmm0, 0x55
  maxss xmm8, xmm0
  cvtss2sd xmm8, xmm8
  unpcklpd xmm8, xmm8

  ; Two exponentials at a time.
  pxor xmm9, xmm9
  mov rcx, rdx
  sub rcx, 2
  jl .rest
.two:
  movsd xmm0, [rsi]                     ; two floats
  cvtps2pd xmm0, xmm0
  subpd xmm0, xmm8
  call exponential
  addpd xmm9, xmm0
  test rdi, rdi
  jz .two_kept
  cvtpd2ps xmm0, xmm0
  movlps [rdi], xmm0
  add rdi, 8
.two_kept:
  add rsi, 8
  sub rcx, 2
  jge .two
.rest:
  add rcx, 2
  jz .sum
  movss xmm0, [rsi]
  cvtss2sd xmm0, xmm0
  subsd xmm0, xmm8
  call exponential
  addsd xmm9, xmm0
  test rdi, rdi
  jz .sum
  cvtsd2ss xmm0, xmm0
  movss [rdi], xmm0
.sum:
  movapd xmm0, xmm9
  unpckhpd xmm0, xmm0
  addsd xmm9, xmm0
  ret

; rcx = a range's first row, rax = how many it has; the rows' number is the first member of the arguments at rbx.
%macro ROW_RANGE 0
  shl rcx, logit_rows_bits
  mov rax, [rbx]
  sub rax, rcx
  mov edx, logit_rows
  AT_MOST rax, rdx
%endmacro

; y = exp(x - largest) / sum
FUNCTION softmax_f32_run
  push rbp
  mov rbp, rsp
  push rbx
  push r12
  push r13
  push r14
  mov rbx, rdi
  ROW_RANGE
  mov r14, rax                          ; r14: rows to do
  imul rcx, [rbx + softmax_f32.columns]
  mov r12, [rbx + softmax_f32.x]
  lea r12, [r12 + 4 * rcx]              ; r12: a row of x
  mov r13, [rbx + softmax_f32.y]
  lea r13, [r13 + 4 * rcx]              ; r13: a row of y
.row:
  mov rsi, r12
  mov rdi, r13
  mov rdx, [rbx + softmax_f32.columns]
  call exponentials
  movsd xmm1, [one]
  divsd xmm1, xmm9
  cvtsd2ss xmm1, xmm1
  shufps xmm1, xmm1, 0                  ; 1 / sum
  mov rcx, [rbx + softmax_f32.columns]
  lea r12, [r12 + 4 * rcx]
  sub rcx, 4
  jl .rest
.four:
  movups xmm0, [r13]
  mulps xmm0, xmm1
  movups [r13], xmm0
  add r13, 16
  sub rcx, 4
  jge .four
.rest:
  add rcx, 4
  jz .row_done
.one:
  movss xmm0, [r13]
  mulss xmm0, xmm1
  movss [r13], xmm0
  add r13, 4
  dec rcx
  jnz .one
.row_done:
  dec r14
  jnz .row
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret

; loss = sum over j of q[j] * (log(sum) - (x[j] - largest)), dx[j] = (softmax(x)[j] - q[j]) * scale, where
; q[j] = (1 - smoothing) * t[j] + smoothing / columns, and t is the row of `target`, or 1 at the label and 0 elsewhere.
;   rbx arguments; r12 a row of x; r13 of dx, or 0; r14 row; r15 rows to do
;   xmm10 1 - smoothing; xmm11 smoothing / columns; xmm12 scale; xmm13 1 / sum; xmm14 sum of q * (largest - x): all doubles
FUNCTION softmax_cross_entropy_f32_run
  push rbp
  mov rbp, rsp
  push rbx
  push r12
  push r13
  push r14
  push r15
  mov rbx, rdi
  ROW_RANGE
  mov r15, rax
  mov r14, rcx
  imul rcx, [rbx + softmax_cross_entropy_f32.columns]
  mov r12, [rbx + softmax_cross_entropy_f32.x]
  lea r12, [r12 + 4 * rcx]
  mov r13, [rbx + softmax_cross_entropy_f32.dx]
  test r13, r13
  jz .no_gradient
  lea r13, [r13 + 4 * rcx]
.no_gradient:
  cvtss2sd xmm11, [rbx + softmax_cross_entropy_f32.smoothing]
  movsd xmm10, [one]
  subsd xmm10, xmm11
  cvtsi2sd xmm0, qword [rbx + softmax_cross_entropy_f32.columns]
  divsd xmm11, xmm0
  cvtss2sd xmm12, [rbx + softmax_cross_entropy_f32.scale]
.row:
  mov rsi, r12
  mov rdi, r13
  mov rdx, [rbx + softmax_cross_entropy_f32.columns]
  call exponentials
  movsd xmm13, [one]
  divsd xmm13, xmm9

  mov rsi, [rbx + softmax_cross_entropy_f32.target]
  mov r8, -1                            ; r8: the label, where labels count
  mov rax, [rbx + softmax_cross_entropy_f32.label]
  test rsi, rsi
  jnz .distribution
  movsxd r8, dword [rax + 4 * r14]
.distribution:
  mov rcx, [rbx + softmax_cross_entropy_f32.columns]
  mov rax, rcx
  imul rax, r14
  lea rsi, [rsi + 4 * rax]              ; rsi: the row of `target`, where that counts
  xorpd xmm14, xmm14
  xor eax, eax                          ; rax: column
.column:
  xorpd xmm0, xmm0
  test r8, r8
  js .from_target
  cmp rax, r8
  jne .q
  movsd xmm0, [one]
  jmp .q
.from_target:
  cvtss2sd xmm0, [rsi + 4 * rax]
.q:
  mulsd xmm0, xmm10
  addsd xmm0, xmm11                     ; q
  xorpd xmm1, xmm1
  ucomisd xmm0, xmm1
  jp .part
  je .no_part                           ; a q of 0 takes no part, whatever x is: 0 * infinity would be NaN
.part:
  cvtss2sd xmm1, [r12 + 4 * rax]
  movapd xmm2, xmm8
  subsd xmm2, xmm1
  mulsd xmm2, xmm0
  addsd xmm14, xmm2
.no_part:
  test r13, r13
  jz .column_done
  cvtss2sd xmm1, [r13 + 4 * rax]        ; exp(x - largest), as exponentials left it
  mulsd xmm1, xmm13
  subsd xmm1, xmm0
  mulsd xmm1, xmm12
  cvtsd2ss xmm1, xmm1
  movss [r13 + 4 * rax], xmm1
.column_done:
  inc rax
  cmp rax, rcx
  jl .column

  lea r12, [r12 + 4 * rcx]
  test r13, r13
  jz .loss
  lea r13, [r13 + 4 * rcx]
.loss:
  movapd xmm0, xmm9
  call logarithm
  addsd xmm0, xmm14
  cvtsd2ss xmm0, xmm0
  mov rax, [rbx + softmax_cross_entropy_f32.loss]
  movss [rax + 4 * r14], xmm0
  inc r14
  dec r15
  jnz .row
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret
