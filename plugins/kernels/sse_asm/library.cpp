// The table of the kernels in assembly: all of their code is in the .asm files beside this one.
#include "../common/library.hpp"

#include <cstddef>

// arguments.inc has the structs once more; where <nnrun/kernels.h> moves a member, this says which file to look at.
#define NNRUN_SAME_PLACE(type, member, place) \
  static_assert(offsetof(type, member) == place, #type "." #member " is elsewhere: change sse_asm/arguments.inc and this line")

NNRUN_SAME_PLACE(nnrun_gemm_f32, m, 0);
NNRUN_SAME_PLACE(nnrun_gemm_f32, n, 8);
NNRUN_SAME_PLACE(nnrun_gemm_f32, k, 16);
NNRUN_SAME_PLACE(nnrun_gemm_f32, transpose_a, 24);
NNRUN_SAME_PLACE(nnrun_gemm_f32, transpose_b, 28);
NNRUN_SAME_PLACE(nnrun_gemm_f32, accumulate, 32);
NNRUN_SAME_PLACE(nnrun_gemm_f32, relu, 36);
NNRUN_SAME_PLACE(nnrun_gemm_f32, lda, 40);
NNRUN_SAME_PLACE(nnrun_gemm_f32, ldb, 48);
NNRUN_SAME_PLACE(nnrun_gemm_f32, ldc, 56);
NNRUN_SAME_PLACE(nnrun_gemm_f32, a, 64);
NNRUN_SAME_PLACE(nnrun_gemm_f32, b, 72);
NNRUN_SAME_PLACE(nnrun_gemm_f32, bias, 80);
NNRUN_SAME_PLACE(nnrun_gemm_f32, c, 88);

NNRUN_SAME_PLACE(nnrun_column_sum_f32, rows, 0);
NNRUN_SAME_PLACE(nnrun_column_sum_f32, columns, 8);
NNRUN_SAME_PLACE(nnrun_column_sum_f32, ldx, 16);
NNRUN_SAME_PLACE(nnrun_column_sum_f32, x, 24);
NNRUN_SAME_PLACE(nnrun_column_sum_f32, sum, 32);

NNRUN_SAME_PLACE(nnrun_relu_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_relu_f32, x, 8);
NNRUN_SAME_PLACE(nnrun_relu_f32, y, 16);

NNRUN_SAME_PLACE(nnrun_relu_backward_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_relu_backward_f32, y, 8);
NNRUN_SAME_PLACE(nnrun_relu_backward_f32, dy, 16);
NNRUN_SAME_PLACE(nnrun_relu_backward_f32, dx, 24);

NNRUN_SAME_PLACE(nnrun_u8_to_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_u8_to_f32, x, 8);
NNRUN_SAME_PLACE(nnrun_u8_to_f32, y, 16);
NNRUN_SAME_PLACE(nnrun_u8_to_f32, scale, 24);
NNRUN_SAME_PLACE(nnrun_u8_to_f32, offset, 28);

NNRUN_SAME_PLACE(nnrun_softmax_f32, rows, 0);
NNRUN_SAME_PLACE(nnrun_softmax_f32, columns, 8);
NNRUN_SAME_PLACE(nnrun_softmax_f32, x, 16);
NNRUN_SAME_PLACE(nnrun_softmax_f32, y, 24);

NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, rows, 0);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, columns, 8);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, x, 16);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, label, 24);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, loss, 32);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, dx, 40);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, scale, 48);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, target, 56);
NNRUN_SAME_PLACE(nnrun_softmax_cross_entropy_f32, smoothing, 64);

NNRUN_SAME_PLACE(nnrun_sgd_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_sgd_f32, w, 8);
NNRUN_SAME_PLACE(nnrun_sgd_f32, g, 16);
NNRUN_SAME_PLACE(nnrun_sgd_f32, rate, 24);
NNRUN_SAME_PLACE(nnrun_sgd_f32, decay, 28);
NNRUN_SAME_PLACE(nnrun_sgd_f32, finite, 32);

NNRUN_SAME_PLACE(nnrun_momentum_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_momentum_f32, w, 8);
NNRUN_SAME_PLACE(nnrun_momentum_f32, v, 16);
NNRUN_SAME_PLACE(nnrun_momentum_f32, g, 24);
NNRUN_SAME_PLACE(nnrun_momentum_f32, rate, 32);
NNRUN_SAME_PLACE(nnrun_momentum_f32, beta, 36);
NNRUN_SAME_PLACE(nnrun_momentum_f32, decay, 40);
NNRUN_SAME_PLACE(nnrun_momentum_f32, nesterov, 44);
NNRUN_SAME_PLACE(nnrun_momentum_f32, finite, 48);

NNRUN_SAME_PLACE(nnrun_adam_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_adam_f32, w, 8);
NNRUN_SAME_PLACE(nnrun_adam_f32, m, 16);
NNRUN_SAME_PLACE(nnrun_adam_f32, v, 24);
NNRUN_SAME_PLACE(nnrun_adam_f32, g, 32);
NNRUN_SAME_PLACE(nnrun_adam_f32, rate, 40);
NNRUN_SAME_PLACE(nnrun_adam_f32, beta1, 44);
NNRUN_SAME_PLACE(nnrun_adam_f32, beta2, 48);
NNRUN_SAME_PLACE(nnrun_adam_f32, epsilon, 52);
NNRUN_SAME_PLACE(nnrun_adam_f32, correction1, 56);
NNRUN_SAME_PLACE(nnrun_adam_f32, correction2, 60);
NNRUN_SAME_PLACE(nnrun_adam_f32, decay, 64);
NNRUN_SAME_PLACE(nnrun_adam_f32, decoupled_decay, 68);
NNRUN_SAME_PLACE(nnrun_adam_f32, finite, 72);

NNRUN_SAME_PLACE(nnrun_fma_peak_f32, repeats, 0);
NNRUN_SAME_PLACE(nnrun_fma_peak_f32, operations, 8);
NNRUN_SAME_PLACE(nnrun_fma_peak_f32, result, 16);

NNRUN_SAME_PLACE(nnrun_read_peak_f32, count, 0);
NNRUN_SAME_PLACE(nnrun_read_peak_f32, x, 8);
NNRUN_SAME_PLACE(nnrun_read_peak_f32, result, 16);

NNRUN_SAME_PLACE(nnrun_work, phases, 0);
NNRUN_SAME_PLACE(nnrun_work, batch_phase, 4);
NNRUN_SAME_PLACE(nnrun_work, ranges, 8);
NNRUN_SAME_PLACE(nnrun_work, workspace, 40);
NNRUN_SAME_PLACE(nnrun_work, ahead, 48);
static_assert(sizeof(nnrun_work) == 56, "nnrun_work has grown: one_phase in sse_asm/work.asm sets all of it to 0");

#define NNRUN_ASSEMBLY_KERNELS(X) \
  X(gemm_f32)                     \
  X(column_sum_f32)               \
  X(relu_f32)                     \
  X(relu_backward_f32)            \
  X(softmax_f32)                  \
  X(softmax_cross_entropy_f32)    \
  X(sgd_f32)                      \
  X(momentum_f32)                 \
  X(adam_f32)                     \
  X(u8_to_f32)                    \
  X(fma_peak_f32)                 \
  X(read_peak_f32)

// The functions themselves, as the C border wants them: nothing lies between the host and the assembly.
#define NNRUN_DECLARE(name)                                  \
  void name##_work(const void* arguments, nnrun_work* work); \
  void name##_run(const void* arguments, void* workspace, uint32_t phase, int64_t range);
extern "C" {
NNRUN_ASSEMBLY_KERNELS(NNRUN_DECLARE)
}

namespace {

constexpr int32_t score = 100;  // faster than scalar, slower than the wider vectors of avx2

#define NNRUN_ENTRY(name) {sizeof(nnrun_kernel), score, #name, "nnrun_" #name, nullptr, name##_work, name##_run, nullptr, 0, nullptr, 0},
constexpr nnrun_kernel kernels[] = {NNRUN_ASSEMBLY_KERNELS(NNRUN_ENTRY)};

}  // namespace

NNRUN_KERNEL_LIBRARY("sse_asm", "a multi-layer perceptron's kernels in x86-64 assembly, SSE2", "sse2", kernels)
