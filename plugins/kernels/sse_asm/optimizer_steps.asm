; Optimizer steps over slices of the weights. void NAME_run(const void* arguments, void* workspace, uint32_t phase, int64_t range): there is
; one range, and rdi alone counts. After the call *finite is 0 where a gradient was NaN or infinite.
;
; Each step is a macro that is written twice: for four elements with movups, and for one with movss. movss from memory sets the upper
; lanes to 0, so that the arithmetic may go on in four lanes: what comes out of the upper ones is never stored.

%include "common.inc"
%include "arguments.inc"

section .rodata align=16

align 16
magnitude:    times 4 dd 0x7fffffff         ; all bits but the sign
least_normal: times 4 dd 0x00800000         ; 2^-126
one:          dd 1.0

section .text

; xmm15 collects 0 * gradient: 0 while all are finite, and NaN from the first on that is not (0 * infinity is NaN).
%macro COLLECT_FINITE 1                     ; %1: gradients; uses xmm14
  pxor xmm14, xmm14
  mulps xmm14, %1
  addps xmm15, xmm14
%endmacro

; *finite = 0 where xmm15 holds a NaN; %1: where the pointer `finite` is. A NaN is the only thing that is not ordered with itself.
%macro TELL_FINITE 1
  cmpunordps xmm15, xmm15
  movmskps eax, xmm15                       ; a bit for each lane
  test eax, eax
  jz %%all
  mov rdx, %1
  mov dword [rdx], 0
%%all:
%endmacro

; What is smaller than 2^-126 becomes 0: denormal numbers would make every later step slower. "Not less than" keeps NaN.
%macro FLUSH 2                              ; %1: values; %2: is used
  movaps %2, %1
  andps %2, [magnitude]
  cmpnltps %2, [least_normal]
  andps %1, %2
%endmacro

; Calls %1 with movups for each four elements and with movss for the rest. rax counts bytes from the first element, rcx elements.
%macro FOR_EACH_ELEMENT 1
  pxor xmm15, xmm15
  xor eax, eax
  mov rcx, [rdi]                            ; `count` is the first member of all
  sub rcx, 4
  jl %%rest
%%four:
  %1 movups
  add rax, 16
  sub rcx, 4
  jge %%four
%%rest:
  add rcx, 4
  jz %%done
%%one:
  %1 movss
  add rax, 4
  dec rcx
  jnz %%one
%%done:
%endmacro

; w -= rate * (g + decay * w)
%macro SGD 1
  %1 xmm0, [rdx + rax]                      ; g
  %1 xmm1, [rsi + rax]                      ; w
  COLLECT_FINITE xmm0
  movaps xmm2, xmm1
  mulps xmm2, xmm9                          ; decay * w
  addps xmm0, xmm2
  mulps xmm0, xmm8                          ; rate * (g + decay * w)
  subps xmm1, xmm0
  %1 [rsi + rax], xmm1
%endmacro

FUNCTION sgd_f32_run
  mov rsi, [rdi + sgd_f32.w]
  mov rdx, [rdi + sgd_f32.g]
  BROADCAST xmm8, [rdi + sgd_f32.rate]
  BROADCAST xmm9, [rdi + sgd_f32.decay]
  FOR_EACH_ELEMENT SGD
  TELL_FINITE [rdi + sgd_f32.finite]
  ret

; v = beta * v + g; w -= rate * (nesterov ? g + beta * v : v), where g has the decay in it. Both begin alike: xmm0 = g, xmm1 = w, xmm2 = v.
%macro MOMENTUM_V 1
  %1 xmm0, [rdx + rax]                      ; g
  %1 xmm1, [rsi + rax]                      ; w
  %1 xmm2, [r8 + rax]                       ; v
  COLLECT_FINITE xmm0
  movaps xmm3, xmm1
  mulps xmm3, xmm9
  addps xmm0, xmm3                          ; g + decay * w
  mulps xmm2, xmm10
  addps xmm2, xmm0                          ; beta * v + g
  FLUSH xmm2, xmm3
  %1 [r8 + rax], xmm2
%endmacro

%macro MOMENTUM 1
  MOMENTUM_V %1
  mulps xmm2, xmm8
  subps xmm1, xmm2                          ; w - rate * v
  %1 [rsi + rax], xmm1
%endmacro

%macro NESTEROV 1
  MOMENTUM_V %1
  mulps xmm2, xmm10
  addps xmm0, xmm2                          ; g + beta * v
  mulps xmm0, xmm8
  subps xmm1, xmm0
  %1 [rsi + rax], xmm1
%endmacro

FUNCTION momentum_f32_run
  mov rsi, [rdi + momentum_f32.w]
  mov r8, [rdi + momentum_f32.v]
  mov rdx, [rdi + momentum_f32.g]
  BROADCAST xmm8, [rdi + momentum_f32.rate]
  BROADCAST xmm9, [rdi + momentum_f32.decay]
  BROADCAST xmm10, [rdi + momentum_f32.beta]
  cmp dword [rdi + momentum_f32.nesterov], 0
  jne .nesterov
  FOR_EACH_ELEMENT MOMENTUM
  jmp .tell
.nesterov:
  FOR_EACH_ELEMENT NESTEROV
.tell:
  TELL_FINITE [rdi + momentum_f32.finite]
  ret

; Kingma and Ba 2015, Algorithm 1: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
; w -= rate * (m * correction1) / (sqrt(v * correction2) + epsilon); before that, w -= rate * decoupled_decay * w.
;   xmm4 decay, xmm5 beta1, xmm6 1 - beta1, xmm7 beta2, xmm8 1 - beta2, xmm9 rate * correction1, xmm10 correction2, xmm11 epsilon,
;   xmm12 rate * decoupled_decay
%macro ADAM 1
  %1 xmm0, [rdx + rax]                      ; g
  %1 xmm1, [rsi + rax]                      ; w
  COLLECT_FINITE xmm0
  movaps xmm2, xmm1
  mulps xmm2, xmm4
  addps xmm0, xmm2                          ; g + decay * w

  %1 xmm2, [r8 + rax]                       ; m
  mulps xmm2, xmm5
  movaps xmm3, xmm0
  mulps xmm3, xmm6
  addps xmm2, xmm3                          ; beta1 m + (1 - beta1) g
  FLUSH xmm2, xmm3
  %1 [r8 + rax], xmm2

  movaps xmm13, xmm0
  mulps xmm13, xmm8
  mulps xmm13, xmm0                         ; (1 - beta2) g^2
  %1 xmm3, [r9 + rax]                       ; v
  mulps xmm3, xmm7
  addps xmm3, xmm13                         ; beta2 v + (1 - beta2) g^2
  FLUSH xmm3, xmm13
  %1 [r9 + rax], xmm3

  mulps xmm3, xmm10
  sqrtps xmm3, xmm3
  addps xmm3, xmm11                         ; sqrt(v * correction2) + epsilon
  mulps xmm2, xmm9
  divps xmm2, xmm3                          ; rate * correction1 * m / that
  movaps xmm0, xmm1
  mulps xmm0, xmm12
  subps xmm1, xmm0                          ; w - rate * decoupled_decay * w
  subps xmm1, xmm2
  %1 [rsi + rax], xmm1
%endmacro

FUNCTION adam_f32_run
  mov rsi, [rdi + adam_f32.w]
  mov r8, [rdi + adam_f32.m]
  mov r9, [rdi + adam_f32.v]
  mov rdx, [rdi + adam_f32.g]
  BROADCAST xmm4, [rdi + adam_f32.decay]
  BROADCAST xmm5, [rdi + adam_f32.beta1]
  BROADCAST xmm7, [rdi + adam_f32.beta2]
  BROADCAST xmm6, [one]
  movaps xmm8, xmm6
  subps xmm6, xmm5
  subps xmm8, xmm7
  BROADCAST xmm9, [rdi + adam_f32.rate]
  movaps xmm12, xmm9
  BROADCAST xmm0, [rdi + adam_f32.correction1]
  mulps xmm9, xmm0
  BROADCAST xmm0, [rdi + adam_f32.decoupled_decay]
  mulps xmm12, xmm0
  BROADCAST xmm10, [rdi + adam_f32.correction2]
  BROADCAST xmm11, [rdi + adam_f32.epsilon]
  FOR_EACH_ELEMENT ADAM
  TELL_FINITE [rdi + adam_f32.finite]
  ret
