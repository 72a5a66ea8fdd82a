; sum[j] = sum over i of x[i][j]: gradients of biases. A range is 64 columns, and goes down the rows once for each 16, 4 or 1 of them.
; void column_sum_f32_run(const void* arguments, void* workspace, uint32_t phase, int64_t range).

%include "common.inc"
%include "arguments.inc"
%include "cuts.inc"

section .text

FUNCTION column_sum_f32_run
  mov rdx, [rdi + column_sum_f32.columns]
  mov r8, [rdi + column_sum_f32.ldx]
  mov r9, [rdi + column_sum_f32.rows]
  mov rsi, [rdi + column_sum_f32.x]
  mov rdi, [rdi + column_sum_f32.sum]
  shl rcx, sum_columns_bits             ; the range's first column
  sub rdx, rcx
  mov eax, sum_columns
  AT_MOST rdx, rax                      ; rdx: columns to do
  lea rsi, [rsi + 4 * rcx]              ; rsi: the top of the columns at hand
  lea rdi, [rdi + 4 * rcx]              ; rdi: their sums
  shl r8, 2                             ; r8: bytes from row to row

.sixteen:
  cmp rdx, 16
  jl .four
  pxor xmm0, xmm0
  pxor xmm1, xmm1
  pxor xmm2, xmm2
  pxor xmm3, xmm3
  mov rax, rsi
  mov rcx, r9
.sixteen_rows:
  dec rcx
  jl .sixteen_done
  movups xmm4, [rax]
  movups xmm5, [rax + 16]
  movups xmm6, [rax + 32]
  movups xmm7, [rax + 48]
  addps xmm0, xmm4
  addps xmm1, xmm5
  addps xmm2, xmm6
  addps xmm3, xmm7
  add rax, r8
  jmp .sixteen_rows
.sixteen_done:
  movups [rdi], xmm0
  movups [rdi + 16], xmm1
  movups [rdi + 32], xmm2
  movups [rdi + 48], xmm3
  add rsi, 64
  add rdi, 64
  sub rdx, 16
  jmp .sixteen

.four:
  cmp rdx, 4
  jl .one
  pxor xmm0, xmm0
  mov rax, rsi
  mov rcx, r9
.four_rows:
  dec rcx
  jl .four_done
  movups xmm4, [rax]
  addps xmm0, xmm4
  add rax, r8
  jmp .four_rows
.four_done:
  movups [rdi], xmm0
  add rsi, 16
  add rdi, 16
  sub rdx, 4
  jmp .four

.one:
  test rdx, rdx
  jz .done
  pxor xmm0, xmm0
  mov rax, rsi
  mov rcx, r9
.one_rows:
  dec rcx
  jl .one_done
  addss xmm0, [rax]
  add rax, r8
  jmp .one_rows
.one_done:
  movss [rdi], xmm0
  add rsi, 4
  add rdi, 4
  dec rdx
  jmp .one
.done:
  ret
