; A block of C for batches: in tiles of 4 rows x 8 columns, whose 32 sums stay in the eight registers xmm0..xmm7.
;
; For each stretch of up to 256 of the depth, and each 8 columns: that panel of op(B) is copied to the stack, row behind row, however B is
; stored (at most 8 KiB, so it stays in the L1 cache). Then each 4 rows of op(A) go along it:
;
;       panel:  b0 b1 b2 b3   b4 b5 b6 b7          for each place p of the depth: two registers of the panel, and for each of
;   a[0][p] *   xmm0          xmm1                 4 rows its a[row][p] in all lanes: 8 multiplications, 8 additions of
;   a[1][p] *   xmm2          xmm3                 4 lanes each, for 2 + 4 loads.
;   a[2][p] *   xmm4          xmm5
;   a[3][p] *   xmm6          xmm7
;
; Columns beyond the block's last are zeros in the panel, and rows beyond its last repeat that one: their sums are not stored.

%include "common.inc"
%include "block.inc"

%assign panel_depth 256
%assign tile_rows 4
%assign tile_columns 8

section .rodata align=16

minus_infinity: dd 0xff800000

; What lies on the stack, at multiples of 16 from rsp.
struc local
  .panel:    resd panel_depth * tile_columns
  .tile:     resd tile_rows * tile_columns
  .base:     resq 1                     ; as in block, for this stretch of the depth:
  .base_row: resq 1                     ; the second adds to what the first has left in C,
  .floor:    resd 4                     ; and ReLU comes after the last
endstruc

section .text

; Adds a[%1][p] * (8 columns, in xmm8 and xmm9) to xmm%2 and xmm%3. Row %1 of op(A) is at [%1 + rsi].
%macro MULTIPLY_ROW 3
  BROADCAST xmm10, [%1 + rsi]
  movaps xmm11, xmm10
  mulps xmm10, xmm8
  mulps xmm11, xmm9
  addps xmm%2, xmm10
  addps xmm%3, xmm11
%endmacro

; %1 = where row min(r12 + %2, last) of op(A) begins for this stretch. Uses rcx, which holds that offset of the stretch at first.
%macro ROW_OF_A 2
  lea %1, [r12 + %2]
  mov rax, [r15 + block.rows]
  dec rax
  AT_MOST %1, rax
  imul %1, [r15 + block.a_row]
  add %1, [r15 + block.a]
  add %1, rcx
%endmacro

; void tiles(const block*)
;   r15 the block; r14 where the stretch of the depth begins, r13 how long it is; rbx the panel's first column; r12 the tile's first row
FUNCTION tiles
  push rbp
  mov rbp, rsp
  push rbx
  push r12
  push r13
  push r14
  push r15
  sub rsp, local_size
  and rsp, -16
  mov r15, rdi
  mov rax, [r15 + block.base]
  mov rcx, [r15 + block.base_row]
  mov [rsp + local.base], rax
  mov [rsp + local.base_row], rcx
  BROADCAST xmm0, [minus_infinity]
  movaps [rsp + local.floor], xmm0
  xor r14d, r14d

.stretch:
  mov r13, [r15 + block.depth]
  sub r13, r14
  cmp r13, panel_depth
  jg .not_the_last
  BROADCAST xmm0, [r15 + block.floor]
  movaps [rsp + local.floor], xmm0
.not_the_last:
  mov ecx, panel_depth
  AT_MOST r13, rcx
  xor ebx, ebx

.panel:
  call copy_panel
  xor r12d, r12d

.tile:
  mov rcx, r14
  imul rcx, [r15 + block.a_depth]
  ROW_OF_A r8, 0
  ROW_OF_A r9, 1
  ROW_OF_A r10, 2
  ROW_OF_A r11, 3
  pxor xmm0, xmm0
  pxor xmm1, xmm1
  pxor xmm2, xmm2
  pxor xmm3, xmm3
  pxor xmm4, xmm4
  pxor xmm5, xmm5
  pxor xmm6, xmm6
  pxor xmm7, xmm7
  mov rdx, [r15 + block.a_depth]
  lea rax, [rsp + local.panel]
  xor esi, esi                          ; rsi: bytes along the rows of op(A)
  mov rcx, r13
.products:
  movaps xmm8, [rax]
  movaps xmm9, [rax + 16]
  MULTIPLY_ROW r8, 0, 1
  MULTIPLY_ROW r9, 2, 3
  MULTIPLY_ROW r10, 4, 5
  MULTIPLY_ROW r11, 6, 7
  add rsi, rdx
  add rax, 4 * tile_columns
  dec rcx
  jnz .products
  movaps [rsp + local.tile], xmm0
  movaps [rsp + local.tile + 16], xmm1
  movaps [rsp + local.tile + 32], xmm2
  movaps [rsp + local.tile + 48], xmm3
  movaps [rsp + local.tile + 64], xmm4
  movaps [rsp + local.tile + 80], xmm5
  movaps [rsp + local.tile + 96], xmm6
  movaps [rsp + local.tile + 112], xmm7
  call finish_tile
  add r12, tile_rows
  cmp r12, [r15 + block.rows]
  jl .tile

  add rbx, tile_columns
  cmp rbx, [r15 + block.columns]
  jl .panel

  ; The next stretch adds to C.
  mov rax, [r15 + block.c]
  mov rcx, [r15 + block.c_row]
  mov [rsp + local.base], rax
  mov [rsp + local.base_row], rcx
  add r14, r13
  cmp r14, [r15 + block.depth]
  jl .stretch

  lea rsp, [rbp - 40]                   ; the five that were pushed
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret

; The two below work with the registers and the stack of `tiles`, which is 8 further up: their return address lies before it.
%define locals rsp + 8

; The panel: rows r14..r14+r13-1 of op(B), columns rbx..rbx+7.
copy_panel:
  mov rsi, r14
  imul rsi, [r15 + block.b_depth]
  mov rax, rbx
  imul rax, [r15 + block.b_column]
  add rsi, rax
  add rsi, [r15 + block.b]              ; rsi: the panel's first element in B
  lea rdi, [locals + local.panel]
  mov rdx, [r15 + block.b_depth]
  mov rcx, r13
  mov r8, [r15 + block.columns]
  sub r8, rbx
  cmp r8, tile_columns
  jl .zeros
  mov r8d, tile_columns                 ; r8: how many columns there are
  cmp qword [r15 + block.b_column], 4
  jne .columns
.whole_rows:
  movups xmm0, [rsi]
  movups xmm1, [rsi + 16]
  movaps [rdi], xmm0
  movaps [rdi + 16], xmm1
  add rsi, rdx
  add rdi, 4 * tile_columns
  dec rcx
  jnz .whole_rows
  ret
.zeros:
  pxor xmm0, xmm0
.zero_rows:
  movaps [rdi], xmm0
  movaps [rdi + 16], xmm0
  add rdi, 4 * tile_columns
  dec rcx
  jnz .zero_rows
  lea rdi, [locals + local.panel]
.columns:                               ; column by column, element by element
  mov rax, rsi
  mov r9, rdi
  mov rcx, r13
.column:
  mov r10d, [rax]
  mov [r9], r10d
  add rax, rdx
  add r9, 4 * tile_columns
  dec rcx
  jnz .column
  add rsi, [r15 + block.b_column]
  add rdi, 4
  dec r8
  jnz .columns
  ret

; C's part = max(floor, base + tile), for those rows and columns that there are.
finish_tile:
  mov rax, r12
  imul rax, [r15 + block.c_row]
  add rax, [r15 + block.c]
  lea rax, [rax + 4 * rbx]              ; rax: the tile's place in C
  mov rdx, r12
  imul rdx, [locals + local.base_row]
  add rdx, [locals + local.base]
  lea rdx, [rdx + 4 * rbx]              ; rdx: and in what is there before
  mov rcx, [r15 + block.rows]
  sub rcx, r12
  mov r9d, tile_rows
  AT_MOST rcx, r9                       ; rcx: rows
  mov r8, [r15 + block.columns]
  sub r8, rbx
  mov r9d, tile_columns
  AT_MOST r8, r9                        ; r8: columns
  lea rsi, [locals + local.tile]
  movaps xmm4, [locals + local.floor]
.row:
  cmp r8, tile_columns
  jl .some
  movups xmm0, [rdx]
  movups xmm1, [rdx + 16]
  addps xmm0, [rsi]
  addps xmm1, [rsi + 16]
  AT_LEAST xmm0, xmm4, xmm2
  AT_LEAST xmm1, xmm4, xmm3
  movups [rax], xmm0
  movups [rax + 16], xmm1
  jmp .row_done
.some:
  xor r9d, r9d
.one:
  movss xmm0, [rdx + 4 * r9]
  addss xmm0, [rsi + 4 * r9]
  AT_LEAST xmm0, xmm4, xmm2
  movss [rax + 4 * r9], xmm0
  inc r9
  cmp r9, r8
  jl .one
.row_done:
  add rax, [r15 + block.c_row]
  add rdx, [locals + local.base_row]
  add rsi, 4 * tile_columns
  dec rcx
  jnz .row
  ret
