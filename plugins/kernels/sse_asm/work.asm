; How each kernel's work is cut into ranges: by the shape alone, so that results have the same bits for any number of threads.
; void NAME_work(const void* arguments, nnrun_work* work): arguments in rdi, work in rsi.

%include "common.inc"
%include "arguments.inc"
%include "cuts.inc"

section .text

; All kernels here have one phase; rax is how many ranges it has. Everything else of *rsi becomes 0.
one_phase:
  pxor xmm0, xmm0
  movups [rsi], xmm0
  movups [rsi + 16], xmm0
  movups [rsi + 32], xmm0
  movlps [rsi + 48], xmm0
  mov dword [rsi + work.phases], 1
  mov [rsi + work.ranges], rax
  ret

; rax = ceil(rax / 2^%1)
%macro CEIL_DIVIDE 1
  add rax, (1 << %1) - 1
  shr rax, %1
%endmacro

; Elementwise. The count is the first member of each of these arguments.
FUNCTION relu_f32_work
FUNCTION relu_backward_f32_work
FUNCTION u8_to_f32_work
  mov rax, [rdi]
  CEIL_DIVIDE elements_bits
  jmp one_phase

; An optimizer's step is called on slices that are already cut; what measures is not cut.
FUNCTION sgd_f32_work
FUNCTION momentum_f32_work
FUNCTION adam_f32_work
FUNCTION fma_peak_f32_work
FUNCTION read_peak_f32_work
  mov eax, 1
  jmp one_phase

FUNCTION column_sum_f32_work
  mov rax, [rdi + column_sum_f32.columns]
  CEIL_DIVIDE sum_columns_bits
  jmp one_phase

; Rows of logits.
FUNCTION softmax_f32_work
FUNCTION softmax_cross_entropy_f32_work
  mov rax, [rdi + softmax_f32.rows]     ; the first member of both
  CEIL_DIVIDE logit_rows_bits
  jmp one_phase

; Blocks of C: block_rows x block_columns.
FUNCTION gemm_f32_work
  mov rax, [rdi + gemm_f32.m]
  CEIL_DIVIDE block_rows_bits
  mov rcx, rax
  mov rax, [rdi + gemm_f32.n]
  CEIL_DIVIDE block_columns_bits
  imul rax, rcx
  jmp one_phase
