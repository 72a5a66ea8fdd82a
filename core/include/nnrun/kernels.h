/* The kernels' names and arguments: one row each, which feeds dispatch, tests, benchmarks and docs.
 *
 * Matrices are row-major; leading dimensions count elements. `float*` need not be aligned unless a comment says so.
 * At plan time the host asks with the pointers NULL: supports() and work() look at the shape only. A smaller batch needs no more
 * workspace; the batch is `rows`, and in gemm it may be m or k. Optimizer steps, relu and u8_to_f32 support every count and need no
 * workspace: they are chosen for one count and called with others.
 * The scalar library implements every row and is the reference. Others agree with it to the stated bound:
 * |got - scalar| <= bound * (sum of the magnitudes of the terms that make up the result); 0: to the bit.
 */
#ifndef NNRUN_KERNELS_H
#define NNRUN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* C = op(A) op(B) (+ bias) (relu), or C += op(A) op(B). op(A) is (m, k), op(B) is (k, n), C is (m, n).
 * transpose_a: A is stored (k, m); transpose_b: B is stored (n, k). */
typedef struct nnrun_gemm_f32 {
  int64_t m, n, k;
  uint32_t transpose_a, transpose_b;
  uint32_t accumulate; /* 1: C += ...; then no bias and no relu */
  uint32_t relu;       /* 1: C = max(C, 0) last */
  int64_t lda, ldb, ldc;
  const float* a;
  const float* b;
  const float* bias; /* (n), or NULL. has_bias must say the same, since pointers are NULL at plan time. */
  float* c;
  uint32_t has_bias;
  uint32_t serial; /* 1: the caller cuts the work itself and will run all ranges on one thread: prefer few, large ranges */
} nnrun_gemm_f32;

/* Both gradients of y = x W, for some rows of a W too large for the caches, which then is read once: dx = dy W', dweights = x' dy.
 * x and dx are (batch, inputs), dy is (batch, units), W and dweights are (inputs, units), without gaps. dx may be x. One range. */
typedef struct nnrun_dense_backward_f32 {
  int64_t batch, inputs, units;
  int64_t ldx, lddy, lddx;
  const float* x;
  const float* dy;
  const float* weights;
  float* dx;
  float* dweights;
} nnrun_dense_backward_f32;

/* sum[j] = sum over i of x[i][j]; x is (rows, columns). */
typedef struct nnrun_column_sum_f32 {
  int64_t rows, columns;
  int64_t ldx;
  const float* x;
  float* sum;
} nnrun_column_sum_f32;

/* y = max(x, 0). NaN stays NaN. May be in place. */
typedef struct nnrun_relu_f32 {
  int64_t count;
  const float* x;
  float* y;
} nnrun_relu_f32;

/* dx = y > 0 ? dy : 0. May be in place (dx == dy). */
typedef struct nnrun_relu_backward_f32 {
  int64_t count;
  const float* y;
  const float* dy;
  float* dx;
} nnrun_relu_backward_f32;

/* Elementwise functions of activation_f32. */
typedef enum nnrun_activation {
  NNRUN_LEAKY_RELU = 1, /* x > 0 ? x : alpha * x; alpha >= 0 */
  NNRUN_SIGMOID = 2,    /* 1 / (1 + exp(-x)) */
  NNRUN_TANH = 3,
  NNRUN_GELU = 4,      /* x * Phi(x), Phi the normal distribution (Hendrycks and Gimpel 2016) */
  NNRUN_GELU_TANH = 5, /* the same paper's approximation, 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
  NNRUN_SILU = 6       /* x * sigmoid(x) (Elfwing, Uchibe and Doya 2018) */
} nnrun_activation;

/* y = function(x). NaN stays NaN. May be in place. */
typedef struct nnrun_activation_f32 {
  int64_t count;
  uint32_t function; /* nnrun_activation */
  float alpha;
  const float* x;
  float* y;
} nnrun_activation_f32;

/* dx = dy * function'(x), from what is cheapest: y of leaky_relu, sigmoid and tanh, x of the others. dx may be dy. */
typedef struct nnrun_activation_backward_f32 {
  int64_t count;
  uint32_t function; /* nnrun_activation */
  float alpha;
  const float* from;
  const float* dy;
  float* dx;
} nnrun_activation_backward_f32;

/* Rows of x to probabilities: y = exp(x - max) / sum. May be in place. */
typedef struct nnrun_softmax_f32 {
  int64_t rows, columns;
  const float* x;
  float* y;
} nnrun_softmax_f32;

/* loss[i] = sum_j q[i][j] * (log(sum_k exp(x[i][k])) - x[i][j]), computed stably; dx = (softmax(x) - q) * scale. q is the target
 * distribution (1 - smoothing) * t + smoothing / columns, where t is `target`, or where that is NULL onehot(label). Rows of `target`
 * add up to 1; labels are in 0..columns-1 (the host has checked). A q of 0 takes no part, whatever x is there. */
typedef struct nnrun_softmax_cross_entropy_f32 {
  int64_t rows, columns;
  const float* x;
  const int32_t* label;
  float* loss;           /* (rows) */
  float* dx;             /* (rows, columns), or NULL */
  float scale;           /* 1 / batch */
  uint32_t has_gradient; /* dx is wanted; says so at plan time */
  const float* target;   /* (rows, columns), or NULL: then `label` counts */
  float smoothing;       /* 0..1: the share of a target that is spread over all columns */
} nnrun_softmax_cross_entropy_f32;

/* Optimizer steps. One range; call them on slices. After the call *finite is 0 where any gradient was NaN or infinite,
 * and is otherwise left alone. In v of momentum and in m and v of Adam, what is smaller than 2^-126 becomes 0.
 * `decay` is L2: g += decay * w. */
typedef struct nnrun_sgd_f32 { /* w -= rate * g */
  int64_t count;
  float* w;
  const float* g;
  float rate, decay;
  uint32_t* finite;
} nnrun_sgd_f32;

typedef struct nnrun_momentum_f32 { /* v = beta * v + g; w -= rate * (nesterov ? g + beta * v : v) */
  int64_t count;
  float* w;
  float* v;
  const float* g;
  float rate, beta, decay;
  uint32_t nesterov;
  uint32_t* finite;
} nnrun_momentum_f32;

typedef struct nnrun_adam_f32 { /* Kingma and Ba 2015, Algorithm 1, with the bias corrections given:
                                   m = beta1 m + (1-beta1) g; v = beta2 v + (1-beta2) g^2;
                                   w -= rate * (m * correction1) / (sqrt(v * correction2) + epsilon), correctionN = 1 / (1 - betaN^t).
                                   decoupled_decay (Loshchilov and Hutter 2019): first w -= rate * decoupled_decay * w. */
  int64_t count;
  float* w;
  float* m;
  float* v;
  const float* g;
  float rate, beta1, beta2, epsilon, correction1, correction2, decay, decoupled_decay;
  uint32_t* finite;
} nnrun_adam_f32;

/* Which of these three steps. */
typedef enum nnrun_update_rule {
  NNRUN_UPDATE_SGD = 1,      /* sgd_f32 */
  NNRUN_UPDATE_MOMENTUM = 2, /* momentum_f32: beta1 is its beta, states[0] its v */
  NNRUN_UPDATE_ADAM = 3      /* adam_f32: states are m and v */
} nnrun_update_rule;

/* An optimizer's step over one weight, as numbers that a kernel can work with. What its rule does not have is not looked at. */
typedef struct nnrun_update {
  uint32_t size;
  uint32_t rule; /* nnrun_update_rule */
  uint32_t nesterov;
  float rate, beta1, beta2, epsilon, correction1, correction2, decay, decoupled_decay;
  float* states[2];
} nnrun_update;

/* The weight gradient of y = x W, dW = x' dy, and the step that `update` says with it: each part of dW goes from the registers into the step,
 * and nowhere else. x is (batch, inputs), dy is (batch, units), W and the update's states are (inputs, units), without gaps. *finite becomes
 * 0 where any of dW is NaN or infinite, and is otherwise left alone. Rows of dy that are a multiple of 512 bytes apart make it slow. */
typedef struct nnrun_dense_update_f32 {
  int64_t batch, inputs, units;
  int64_t ldx, lddy;
  const float* x;
  const float* dy;
  float* weights;
  uint32_t* finite;
  nnrun_update update;
} nnrun_dense_update_f32;

/* Batch norm over rows of (rows, columns), Ioffe and Szegedy 2015. Training: batch mean and (biased) variance of each column;
 * y = (x - mean) * inverse * gamma + beta, inverse = 1 / sqrt(variance + epsilon); then max(y, 0) where `relu` says so. mean, variance,
 * inverse: (columns). */
typedef struct nnrun_batchnorm_f32 {
  int64_t rows, columns;
  const float* x;
  const float* gamma;
  const float* beta;
  float* y;
  float* mean;     /* training: written; otherwise read */
  float* variance; /* training: written; otherwise read */
  float* inverse;  /* training: written */
  float epsilon;
  uint32_t training;
  uint32_t relu;
} nnrun_batchnorm_f32;

/* dgamma = sum dy * xhat; dbeta = sum dy; dx = gamma * inverse / rows * (rows * dy - dbeta - xhat * dgamma). Where `relu` says so, dy
 * counts as 0 where y, computed anew, is not above 0. Not in training (of a frozen layer) mean and inverse do not depend on x:
 * dx = gamma * inverse * dy, and dgamma and dbeta are left alone. dx may be dy or x. */
typedef struct nnrun_batchnorm_backward_f32 {
  int64_t rows, columns;
  const float* x;
  const float* dy;
  const float* gamma;
  const float* mean;
  const float* inverse;
  float* dx; /* or NULL */
  float* dgamma;
  float* dbeta;
  const float* beta;     /* read where there is relu */
  uint32_t has_gradient; /* dx is wanted; says so at plan time */
  uint32_t training;     /* 0: then dx is wanted */
  uint32_t relu;
} nnrun_batchnorm_backward_f32;

/* Batch norm of pictures, ReLU (where `relu` says so), and the largest of each 2 x 2 places of that, side by side; a last odd row or column
 * counts for the statistics alone. x is (batch, height, width, channels), y is (batch, height / 2, width / 2, channels); a picture has
 * 2 x 2 places at least. */
typedef struct nnrun_batchnorm_maxpool_f32 {
  int64_t batch, height, width, channels;
  const float* x;
  const float* gamma;
  const float* beta;
  float* y;
  uint8_t* argmax; /* like y: row * 2 + column of the largest, the first of equal ones; 4 where ReLU lets no gradient through; or NULL */
  float* mean;     /* the rest as in nnrun_batchnorm_f32, channels for columns */
  float* variance;
  float* inverse;
  float epsilon;
  uint32_t training;
  uint32_t relu;
} nnrun_batchnorm_maxpool_f32;

/* Its gradients: those of nnrun_batchnorm_backward_f32, whose dy is zero but where argmax says. dx may be x. */
typedef struct nnrun_batchnorm_maxpool_backward_f32 {
  int64_t batch, height, width, channels;
  const float* x;
  const float* dy; /* like y */
  const uint8_t* argmax;
  const float* gamma;
  const float* mean;
  const float* inverse;
  float* dx; /* like x, or NULL */
  float* dgamma;
  float* dbeta;
  uint32_t has_gradient; /* dx is wanted; says so at plan time */
  uint32_t training;     /* 0: then dx is wanted, and x is not read */
} nnrun_batchnorm_maxpool_backward_f32;

/* y = x * scale + offset, one multiplication and one addition in float (no fused rounding), to the bit on every ISA. */
typedef struct nnrun_u8_to_f32 {
  int64_t count;
  const uint8_t* x;
  float* y;
  float scale, offset;
} nnrun_u8_to_f32;

/* Windows that slide over pictures. Pictures are channels last: x is (batch, input[0], input[1], channels), y is (batch, output[0],
 * output[1], ...); [0] is height, [1] is width. Window i of an axis covers the places i * stride - padding + t * dilation, t < kernel.
 * Places outside of x count as zero in convolutions, and do not count in pools. The padding behind the last row and column follows
 * from `output`. */
typedef struct nnrun_windows {
  int64_t batch;
  int64_t input[2], output[2];
  int64_t kernel[2], stride[2], dilation[2];
  int64_t padding[2]; /* before the first row and column */
} nnrun_windows;

/* Convolutions (cross-correlations, as everywhere in the field): weights are (filters, kernel[0], kernel[1], channels / groups).
 * Group g makes the filters g * filters / groups... of the channels g * channels / groups...; both are multiples of `groups`.
 * y = x * weights (+ bias) (relu) */
typedef struct nnrun_conv2d_forward_f32 {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  uint32_t relu; /* 1: y = max(y, 0) last */
  uint32_t has_bias;
  const float* x;
  const float* weights;
  const float* bias; /* (filters), or NULL; has_bias says the same */
  float* y;
} nnrun_conv2d_forward_f32;

/* dx: the gradient for x of sum(y * dy). */
typedef struct nnrun_conv2d_backward_data_f32 {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  const float* dy;
  const float* weights;
  float* dx;
} nnrun_conv2d_backward_data_f32;

/* dweights and dbias: the gradients for weights and bias of sum(y * dy). */
typedef struct nnrun_conv2d_backward_weights_f32 {
  nnrun_windows windows;
  int64_t channels, filters, groups;
  const float* x;
  const float* dy;
  float* dweights;
  float* dbias; /* (filters), or NULL; has_bias says the same */
  uint32_t has_bias;
} nnrun_conv2d_backward_weights_f32;

/* y = the largest of each window. Of equal ones the first counts, and NaN is larger than all. Every window holds a place of x, and
 * kernel[0] * kernel[1] <= 256. */
typedef struct nnrun_maxpool2d_forward_f32 {
  nnrun_windows windows;
  int64_t channels;
  const float* x;
  float* y;
  uint8_t* argmax; /* like y: which place of the window it was, row * kernel[1] + column; or NULL */
} nnrun_maxpool2d_forward_f32;

/* dx: each dy goes where its largest was; sums where windows overlap, zero elsewhere. */
typedef struct nnrun_maxpool2d_backward_f32 {
  nnrun_windows windows;
  int64_t channels;
  const float* dy;
  const uint8_t* argmax;
  float* dx;
} nnrun_maxpool2d_backward_f32;

/* y = the mean over those places of each window that lie in x; there is one at least. */
typedef struct nnrun_avgpool2d_forward_f32 {
  nnrun_windows windows;
  int64_t channels;
  const float* x;
  float* y;
} nnrun_avgpool2d_forward_f32;

typedef struct nnrun_avgpool2d_backward_f32 {
  nnrun_windows windows;
  int64_t channels;
  const float* dy;
  float* dx;
} nnrun_avgpool2d_backward_f32;

/* A convolution, bias, ReLU (where `relu` says so), and the largest of each 2 x 2 places of that, side by side; a last odd row or
 * column of the convolution counts for nothing. y is (batch, output[0] / 2, output[1] / 2, filters). */
typedef struct nnrun_conv2d_maxpool_forward_f32 {
  nnrun_windows windows; /* the convolution's */
  int64_t channels, filters, groups;
  uint32_t relu;
  uint32_t has_bias;
  const float* x;
  const float* weights;
  const float* bias; /* (filters), or NULL; has_bias says the same */
  float* y;
  uint8_t* argmax; /* like y: row * 2 + column of the largest, the first of equal ones; 4 where ReLU lets no gradient through; or NULL */
} nnrun_conv2d_maxpool_forward_f32;

/* dx: the gradient for x of sum(y * dy). At most a quarter of the convolution's own gradient is not zero: only that is looked at. */
typedef struct nnrun_conv2d_maxpool_backward_data_f32 {
  nnrun_windows windows; /* the convolution's */
  int64_t channels, filters, groups;
  const float* dy; /* like y */
  const uint8_t* argmax;
  const float* weights;
  float* dx;
} nnrun_conv2d_maxpool_backward_data_f32;

/* dweights and dbias: the gradients for weights and bias of sum(y * dy). */
typedef struct nnrun_conv2d_maxpool_backward_weights_f32 {
  nnrun_windows windows; /* the convolution's */
  int64_t channels, filters, groups;
  const float* x;
  const float* dy; /* like y */
  const uint8_t* argmax;
  float* dweights;
  float* dbias; /* (filters), or NULL; has_bias says the same */
  uint32_t has_bias;
} nnrun_conv2d_maxpool_backward_weights_f32;

/* What this CPU can do, for shares of it: `repeats` rounds of independent fused multiply-adds in registers. *operations: how many
 * floating-point operations those were; *result keeps the compiler from dropping them. One range. */
typedef struct nnrun_fma_peak_f32 {
  int64_t repeats;
  double* operations;
  float* result;
} nnrun_fma_peak_f32;

/* Reads x once, as fast as it comes; *result is the sum. One range. */
typedef struct nnrun_read_peak_f32 {
  int64_t count;
  const float* x;
  float* result;
} nnrun_read_peak_f32;

/* X(name, bound, doc): `name` is the kernel, nnrun_`name` its arguments. Bounds are in units of the f32 epsilon (2^-23) for
 * reductions over up to 1,024 terms; see tests/kernels. */
#define NNRUN_KERNEL_ROWS(X)                                                                  \
  X(gemm_f32, 1e-6, "matrix product, all transposes, fused bias and relu")                    \
  X(dense_backward_f32, 1e-6, "both gradients of some rows of a large matrix")                \
  X(column_sum_f32, 1e-6, "sums of columns (bias gradients)")                                 \
  X(relu_f32, 0, "max(x, 0)")                                                                 \
  X(relu_backward_f32, 0, "gradient of relu")                                                 \
  X(activation_f32, 1e-6, "sigmoid, tanh, gelu, silu, leaky relu")                            \
  X(activation_backward_f32, 1e-6, "their gradients")                                         \
  X(softmax_f32, 2e-6, "probabilities of rows")                                               \
  X(softmax_cross_entropy_f32, 2e-6, "loss and gradient of softmax with cross-entropy")       \
  X(sgd_f32, 1e-6, "stochastic gradient descent step")                                        \
  X(momentum_f32, 1e-6, "momentum step, Nesterov too")                                        \
  X(adam_f32, 2e-6, "Adam and AdamW step")                                                    \
  X(dense_update_f32, 2e-6, "gradient of a dense layer's weights and the optimizer's step")   \
  X(batchnorm_f32, 4e-6, "batch norm, fused relu, training and inference")                    \
  X(batchnorm_backward_f32, 4e-6, "gradient of batch norm")                                   \
  X(batchnorm_maxpool_f32, 4e-6, "batch norm, relu and 2 x 2 max-pooling in one")             \
  X(batchnorm_maxpool_backward_f32, 4e-6, "its gradients")                                    \
  X(u8_to_f32, 0, "bytes to floats, scaled")                                                  \
  X(conv2d_forward_f32, 1e-6, "convolution, fused bias and relu")                             \
  X(conv2d_backward_data_f32, 1e-6, "gradient of a convolution for its input")                \
  X(conv2d_backward_weights_f32, 1e-6, "gradients of a convolution for weights and bias")     \
  X(conv2d_maxpool_forward_f32, 1e-6, "convolution, bias, relu and 2 x 2 max-pooling in one") \
  X(conv2d_maxpool_backward_data_f32, 1e-6, "its gradient for the input")                     \
  X(conv2d_maxpool_backward_weights_f32, 1e-6, "its gradients for weights and bias")          \
  X(maxpool2d_forward_f32, 0, "largest of each window")                                       \
  X(maxpool2d_backward_f32, 1e-6, "gradient of maxpool2d")                                    \
  X(avgpool2d_forward_f32, 1e-6, "mean of each window")                                       \
  X(avgpool2d_backward_f32, 1e-6, "gradient of avgpool2d")

/* These measure; they compute nothing that could be compared. */
#define NNRUN_MEASURING_KERNEL_ROWS(X)               \
  X(fma_peak_f32, 0, "fused multiply-adds a second") \
  X(read_peak_f32, 0, "bytes read a second")

#ifdef __cplusplus
}
#endif

#endif
