; C = op(A) op(B), plus bias and ReLU, or C += op(A) op(B): what a dense layer does, forward (y = x W + b) and backward
; (dx = dy W^T, dW = x^T dy). A range is a block of C; for each, the way that suits the whole product's shape:
;   - one row times one column, added up to a matrix (a batch of one sample's dW): outer_product.asm;
;   - few rows (a batch of one sample, forward):                                    matrix_vector.asm;
;   - few rows, B stored by columns (a batch of one sample's dx):                   dot_product.asm;
;   - everything else:                                                              tiles.asm.
; void gemm_f32_run(const void* arguments, void* workspace, uint32_t phase, int64_t range).

%include "common.inc"
%include "arguments.inc"
%include "block.inc"
%include "cuts.inc"

extern outer_product
extern matrix_vector
extern dot_products
extern tiles

section .rodata align=16

align 16
zeros: times block_columns dd 0.0
minus_infinity: dd 0xff800000

%assign few_rows 3

section .text

FUNCTION gemm_f32_run
  push rbp
  mov rbp, rsp
  sub rsp, (block_size + 15) / 16 * 16

  ; Which block: range = row of blocks * blocks in a row + column of blocks.
  mov r8, [rdi + gemm_f32.n]
  add r8, block_columns - 1
  shr r8, block_columns_bits
  mov rax, rcx
  xor edx, edx
  div r8                                ; rax: row of blocks, rdx: column of blocks
  shl rax, block_rows_bits              ; rax: the block's first row
  shl rdx, block_columns_bits           ; rdx: the block's first column
  mov r9, [rdi + gemm_f32.m]
  sub r9, rax
  mov ecx, block_rows
  AT_MOST r9, rcx
  mov [rsp + block.rows], r9
  mov r9, [rdi + gemm_f32.n]
  sub r9, rdx
  mov ecx, block_columns
  AT_MOST r9, rcx
  mov [rsp + block.columns], r9
  mov r9, [rdi + gemm_f32.k]
  mov [rsp + block.depth], r9

  ; op(A): one of its steps is an element, 4 bytes, the other a row as it is stored.
  mov r8, [rdi + gemm_f32.lda]
  shl r8, 2
  mov ecx, 4
  cmp dword [rdi + gemm_f32.transpose_a], 0
  je .a_as_it_is
  xchg r8, rcx
.a_as_it_is:
  mov [rsp + block.a_row], r8
  mov [rsp + block.a_depth], rcx
  imul r8, rax
  add r8, [rdi + gemm_f32.a]
  mov [rsp + block.a], r8

  ; op(B)
  mov r8, [rdi + gemm_f32.ldb]
  shl r8, 2
  mov ecx, 4
  cmp dword [rdi + gemm_f32.transpose_b], 0
  je .b_as_it_is
  xchg r8, rcx
.b_as_it_is:
  mov [rsp + block.b_depth], r8
  mov [rsp + block.b_column], rcx
  imul rcx, rdx
  add rcx, [rdi + gemm_f32.b]
  mov [rsp + block.b], rcx

  ; C, and what is there before the products.
  mov r8, [rdi + gemm_f32.ldc]
  shl r8, 2
  mov [rsp + block.c_row], r8
  imul rax, r8
  add rax, [rdi + gemm_f32.c]
  lea rax, [rax + 4 * rdx]
  mov [rsp + block.c], rax
  cmp dword [rdi + gemm_f32.accumulate], 0
  jne .base                             ; C itself: rax, and r8 from row to row
  xor r8d, r8d
  mov rax, [rdi + gemm_f32.bias]
  lea rcx, [zeros]
  test rax, rax
  lea rax, [rax + 4 * rdx]
  cmovz rax, rcx                        ; lea leaves the flags alone
.base:
  mov [rsp + block.base], rax
  mov [rsp + block.base_row], r8
  xor eax, eax
  cmp dword [rdi + gemm_f32.relu], 0
  cmove eax, [minus_infinity]
  mov [rsp + block.floor], eax

  ; The way: outer_product where k = 1 and rows of B are as they are; matrix_vector and dot_products for few rows as they are.
  mov rsi, rdi
  mov rdi, rsp
  cmp dword [rsi + gemm_f32.transpose_b], 0
  jne .not_outer
  cmp qword [rsi + gemm_f32.k], 1
  je .outer
.not_outer:
  cmp qword [rsi + gemm_f32.m], few_rows
  jg .tiles
  cmp dword [rsi + gemm_f32.transpose_a], 0
  jne .tiles
  cmp dword [rsi + gemm_f32.transpose_b], 0
  jne .dots
  call matrix_vector
  leave
  ret
.outer:
  call outer_product
  leave
  ret
.dots:
  call dot_products
  leave
  ret
.tiles:
  call tiles
  leave
  ret
