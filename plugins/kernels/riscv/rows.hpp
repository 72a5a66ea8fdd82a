// The rows of fixed_kernels.h on a guest: operands go into its memory, a function of assembly runs, results come back.
#pragma once

#include "engine/guest.hpp"

#include <nnrun/fixed_kernels.h>
#include <nnrun/nnrun.h>

// The rows that there is assembly for: all of integers alone.
#define NNRUN_RISCV_ROWS(X) \
  X(matmul_q16)             \
  X(matmul_q16_low)         \
  X(matmul_s32)             \
  X(matmul_s8)              \
  X(conv2d_q16)             \
  X(conv2d_q16_low)         \
  X(conv2d_s32)             \
  X(conv2d_s8)              \
  X(maxpool2d_s32)          \
  X(maxpool2d_u8)           \
  X(requantize)             \
  X(relu_s32)               \
  X(abs_s32)                \
  X(argmax_s32)             \
  X(dot_s32)                \
  X(u8_to_s32)

namespace nnrun_riscv {

// Each range is a call of its own: a few rows, a picture, a slice. Cut by the shape alone.
void work_of_row(const nnrun_matmul_q16& a, nnrun_work& work);
void work_of_row(const nnrun_matmul_q16_low& a, nnrun_work& work);
void work_of_row(const nnrun_matmul_s32& a, nnrun_work& work);
void work_of_row(const nnrun_matmul_s8& a, nnrun_work& work);
void work_of_row(const nnrun_conv2d_q16& a, nnrun_work& work);
void work_of_row(const nnrun_conv2d_q16_low& a, nnrun_work& work);
void work_of_row(const nnrun_conv2d_s32& a, nnrun_work& work);
void work_of_row(const nnrun_conv2d_s8& a, nnrun_work& work);
void work_of_row(const nnrun_maxpool2d_s32& a, nnrun_work& work);
void work_of_row(const nnrun_maxpool2d_u8& a, nnrun_work& work);
void work_of_row(const nnrun_requantize& a, nnrun_work& work);
void work_of_row(const nnrun_relu_s32& a, nnrun_work& work);
void work_of_row(const nnrun_abs_s32& a, nnrun_work& work);
void work_of_row(const nnrun_argmax_s32& a, nnrun_work& work);
void work_of_row(const nnrun_dot_s32& a, nnrun_work& work);
void work_of_row(const nnrun_u8_to_s32& a, nnrun_work& work);

// One range. Throws nnrun::Error.
void run_row(Guest& guest, const nnrun_matmul_q16& a, int64_t range);
void run_row(Guest& guest, const nnrun_matmul_q16_low& a, int64_t range);
void run_row(Guest& guest, const nnrun_matmul_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_matmul_s8& a, int64_t range);
void run_row(Guest& guest, const nnrun_conv2d_q16& a, int64_t range);
void run_row(Guest& guest, const nnrun_conv2d_q16_low& a, int64_t range);
void run_row(Guest& guest, const nnrun_conv2d_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_conv2d_s8& a, int64_t range);
void run_row(Guest& guest, const nnrun_maxpool2d_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_maxpool2d_u8& a, int64_t range);
void run_row(Guest& guest, const nnrun_requantize& a, int64_t range);
void run_row(Guest& guest, const nnrun_relu_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_abs_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_argmax_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_dot_s32& a, int64_t range);
void run_row(Guest& guest, const nnrun_u8_to_s32& a, int64_t range);

}  // namespace nnrun_riscv
