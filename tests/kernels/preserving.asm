; Calls a kernel with known values in everything that the System V ABI says it must keep, and looks whether they are still there.

default rel
section .note.GNU-stack noalloc noexec nowrite progbits

%define canary 0x05ca1ab1e0ddba11
%assign words 64                  ; on the stack above the kernel's frame

section .tbss align=8
global nnrun_entry_stack:object hidden
nnrun_entry_stack: resq 1         ; of this thread: the only thing that a kernel cannot have spoiled

section .text

; %1: a bit of the result; set where the flags say "not equal"
%macro KEPT 1
  je %%kept
  or eax, 1 << %1
%%kept:
%endmacro

; uint32_t nnrun_call_preserving(run, const void* arguments, void* workspace, uint32_t phase, int64_t range): 0, or a bit for each thing
; that was not kept: 0 rbx, 1 rbp, 2..5 r12..r15, 6 rsp, 7 the caller's stack, 8 direction flag, 9 MXCSR's control bits,
; 10 the x87 control word.
global nnrun_call_preserving:function hidden
nnrun_call_preserving:
  push rbp
  mov rbp, rsp
  push rbx
  push r12
  push r13
  push r14
  push r15
  sub rsp, 24                     ; [rsp]: MXCSR, [rsp + 4]: x87 control word; and a multiple of 16
  stmxcsr [rsp]
  fnstcw [rsp + 4]
  mov rax, [nnrun_entry_stack wrt ..gottpoff]
  mov [fs:rax], rsp

  mov rax, canary
%rep words
  push rax
  inc rax
%endrep

  mov rax, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov edx, ecx
  mov rcx, r8
  mov rbx, 0x1111111111111111
  mov rbp, 0x2222222222222222
  mov r12, 0x3333333333333333
  mov r13, 0x4444444444444444
  mov r14, 0x5555555555555555
  mov r15, 0x6666666666666666
  cld
  call rax

  mov r9, rsp                     ; lea and mov leave the flags alone
  mov rax, [nnrun_entry_stack wrt ..gottpoff]
  mov rsp, [fs:rax]
  lea rsp, [rsp - 8 * words]
  pushfq
  pop r8
  cld
  xor eax, eax
  mov rdx, 0x1111111111111111
  cmp rbx, rdx
  KEPT 0
  mov rdx, 0x2222222222222222
  cmp rbp, rdx
  KEPT 1
  mov rdx, 0x3333333333333333
  cmp r12, rdx
  KEPT 2
  mov rdx, 0x4444444444444444
  cmp r13, rdx
  KEPT 3
  mov rdx, 0x5555555555555555
  cmp r14, rdx
  KEPT 4
  mov rdx, 0x6666666666666666
  cmp r15, rdx
  KEPT 5
  cmp rsp, r9
  KEPT 6
  mov rdx, canary + words - 1
  mov ecx, words
.word:
  cmp [rsp], rdx
  KEPT 7
  add rsp, 8
  dec rdx
  dec ecx
  jnz .word
  test r8d, 1 << 10
  KEPT 8
  stmxcsr [rsp + 8]
  mov ecx, [rsp + 8]
  xor ecx, [rsp]
  test ecx, 0xffc0                ; all but the six flags that tell what happened
  KEPT 9
  fnstcw [rsp + 12]
  mov cx, [rsp + 12]
  cmp cx, [rsp + 4]
  KEPT 10

  ldmxcsr [rsp]
  fldcw [rsp + 4]
  add rsp, 24
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  ret

; Functions that keep all but one: the test's test.
%macro BAD_KERNEL 1
global nnrun_spoil_%1:function hidden
nnrun_spoil_%1:
%endmacro

BAD_KERNEL rbx
  not rbx
  ret
BAD_KERNEL rbp
  inc rbp
  ret
BAD_KERNEL r12
  xor r12d, r12d
  ret
BAD_KERNEL r13
  mov r13d, r13d
  ret
BAD_KERNEL r14
  neg r14
  ret
BAD_KERNEL r15
  dec r15
  ret
BAD_KERNEL rsp
  ret 8
BAD_KERNEL stack
  mov dword [rsp + 8 * words], 7
  ret
BAD_KERNEL direction
  std
  ret
BAD_KERNEL mxcsr                  ; flush to zero
  stmxcsr [rsp - 8]
  or dword [rsp - 8], 1 << 15
  ldmxcsr [rsp - 8]
  ret
BAD_KERNEL x87                    ; round towards zero
  fnstcw [rsp - 8]
  or word [rsp - 8], 3 << 10
  fldcw [rsp - 8]
  ret
BAD_KERNEL nothing                ; what kernels are free to change
  mov eax, 7
  mov ecx, eax
  mov r11, rax
  pxor xmm15, xmm15
  sqrtss xmm0, xmm15
  ret
