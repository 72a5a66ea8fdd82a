// Convolutions that are a product of matrices, by gemm_f32: forward, and backward to the input.
#include "conv2d_matrix_product.hpp"
#include "gemm_plan.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

// y = x * weights'
nnrun_gemm_f32 product_of(const nnrun_conv2d_forward_f32& a) {
  nnrun_gemm_f32 g = {};
  g.m = pixels_of(a.windows), g.n = a.filters, g.k = a.channels;
  g.transpose_b = 1;
  g.lda = a.channels, g.ldb = a.channels, g.ldc = a.filters;
  g.relu = a.relu, g.has_bias = a.has_bias;
  g.a = a.x, g.b = a.weights, g.bias = a.bias, g.c = a.y;
  return g;
}

// dx = dy * weights
nnrun_gemm_f32 product_of(const nnrun_conv2d_backward_data_f32& a) {
  nnrun_gemm_f32 g = {};
  g.m = pixels_of(a.windows), g.n = a.channels, g.k = a.filters;
  g.lda = a.filters, g.ldb = a.channels, g.ldc = a.channels;
  g.a = a.dy, g.b = a.weights, g.c = a.dx;
  return g;
}

// Ranges are groups of pixels, which a slice of the batch has some of, where all are of one size.
void product_work(const nnrun_gemm_f32& g, nnrun_work& work) {
  gemm_f32_work(g, work);
  const Plan plan = plan_of(g);
  const bool by_pixels = (plan.method == Plan::Method::tiles || plan.method == Plan::Method::rows) && plan.column_groups == 1;
  if (by_pixels && plan.rows_in_group * plan.row_groups == g.m) work.batch_phase = work.phases;
}

}  // namespace

bool conv2d_forward_f32_matrix_product_supports(const nnrun_conv2d_forward_f32& a) { return is_matrix_product(a); }

void conv2d_forward_f32_matrix_product_work(const nnrun_conv2d_forward_f32& a, nnrun_work& work) { product_work(product_of(a), work); }

void conv2d_forward_f32_matrix_product_run(const nnrun_conv2d_forward_f32& a, void* workspace, uint32_t phase, int64_t range) {
  gemm_f32_run(product_of(a), workspace, phase, range);
}

bool conv2d_backward_data_f32_matrix_product_supports(const nnrun_conv2d_backward_data_f32& a) { return is_matrix_product(a); }

void conv2d_backward_data_f32_matrix_product_work(const nnrun_conv2d_backward_data_f32& a, nnrun_work& work) {
  product_work(product_of(a), work);
}

void conv2d_backward_data_f32_matrix_product_run(const nnrun_conv2d_backward_data_f32& a, void* workspace, uint32_t phase, int64_t range) {
  gemm_f32_run(product_of(a), workspace, phase, range);
}

}  // namespace NNRUN_ISA_NAMESPACE
