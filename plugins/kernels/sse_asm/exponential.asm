; exp() and log() in double precision, for softmax and its loss. Functions of our own registers, not of the ABI: what each uses is said.

%include "common.inc"

section .rodata align=16

%macro BOTH 1                     ; the same double in both lanes
  times 2 dq %1
%endmacro

align 16
least:    BOTH -708.0             ; exp(-708) is just above the smallest normal double: as good as 0 beside exp(0) = 1
log2_e:   BOTH 1.4426950408889634 ; 1 / ln 2
ln2_high: BOTH 0x3fe62e42fee00000 ; the first 32 bits of ln 2: times a whole number up to 1023 it is exact
ln2_low:  BOTH 1.9082149292705877e-10
; 1 / k!, k = 12 .. 0
taylor:   BOTH 2.08767569878680990e-9
          BOTH 2.50521083854417188e-8
          BOTH 2.75573192239858907e-7
          BOTH 2.75573192239858907e-6
          BOTH 2.48015873015873016e-5
          BOTH 1.98412698412698413e-4
          BOTH 1.38888888888888889e-3
          BOTH 8.33333333333333333e-3
          BOTH 4.16666666666666667e-2
          BOTH 1.66666666666666667e-1
          BOTH 0.5
          BOTH 1.0
          BOTH 1.0
exponent_bias: times 4 dd 1023

; 1 / k, k = 19, 17 .. 1
odd:      dq 5.26315789473684211e-2
          dq 5.88235294117647059e-2
          dq 6.66666666666666667e-2
          dq 7.69230769230769231e-2
          dq 9.09090909090909091e-2
          dq 1.11111111111111111e-1
          dq 1.42857142857142857e-1
          dq 0.2
          dq 3.33333333333333333e-1
one:      dq 1.0
ln2:      dq 0.69314718055994531

section .text

; xmm0 = exp(xmm0) in both lanes, for x <= 0, to some 1e-16 of the result; NaN for NaN. Uses xmm1..xmm3.
;
; x = n ln 2 + r with n whole and |r| <= ln(2) / 2, so that exp(x) = 2^n exp(r) (Cody and Waite 1980). exp(r) is Taylor's series up to
; r^12 / 12!: what is left out is below 0.347^13 / 13! = 1.7e-16. 2^n is made from its bits.
FUNCTION exponential
  movapd xmm1, [least]
  maxpd xmm1, xmm0                ; x; where one is NaN, maxpd gives its second operand
  movapd xmm2, [log2_e]
  mulpd xmm2, xmm1
  cvtpd2dq xmm2, xmm2             ; n, to the nearest, as two numbers of 32 bits
  cvtdq2pd xmm3, xmm2             ; and as doubles
  movapd xmm0, [ln2_high]
  mulpd xmm0, xmm3
  subpd xmm1, xmm0
  mulpd xmm3, [ln2_low]
  subpd xmm1, xmm3                ; r = x - n ln 2
  movapd xmm0, [taylor]           ; Horner: ((c12 r + c11) r + c10) r + ...
%assign at 16
%rep 12
  mulpd xmm0, xmm1
  addpd xmm0, [taylor + at]
%assign at at + 16
%endrep
  paddd xmm2, [exponent_bias]     ; a double's exponent begins at bit 52: bit 20 of its upper half
  pslld xmm2, 20
  pxor xmm3, xmm3
  punpckldq xmm3, xmm2            ; 0 n0 0 n1: each as the upper half of a double
  mulpd xmm0, xmm3
  ret

; xmm0 = log(xmm0) in lane 0, for 1 <= s < infinity, to some 1e-16; NaN for NaN. Uses xmm1..xmm3, rax, rcx and rdx.
;
; s = 2^k m with m from sqrt(1/2) to sqrt(2), so that log(s) = k ln 2 + log(m), and log(m) = 2 artanh(z) with z = (m - 1) / (m + 1):
; 2 (z + z^3 / 3 + z^5 / 5 + ...), here up to z^19 / 19: |z| <= 0.172, so that what is left out is below 1e-17.
FUNCTION logarithm
  ucomisd xmm0, xmm0
  jp .done                        ; not ordered with itself: NaN
  movq rax, xmm0
  mov rcx, 0x3fe6a09e667f3bcd     ; the bits of sqrt(1/2)
  mov rdx, rax
  sub rdx, rcx
  sar rdx, 52                     ; k
  pxor xmm3, xmm3
  cvtsi2sd xmm3, rdx
  shl rdx, 52
  sub rax, rdx                    ; k less in the exponent
  movq xmm0, rax                  ; m
  movapd xmm1, xmm0
  subsd xmm0, [one]
  addsd xmm1, [one]
  divsd xmm0, xmm1                ; z
  movapd xmm2, xmm0
  mulsd xmm2, xmm2                ; z^2
  movsd xmm1, [odd]
%assign at 8
%rep 9
  mulsd xmm1, xmm2
  addsd xmm1, [odd + at]
%assign at at + 8
%endrep
  mulsd xmm0, xmm1
  addsd xmm0, xmm0                ; log(m)
  mulsd xmm3, [ln2]
  addsd xmm0, xmm3
.done:
  ret
