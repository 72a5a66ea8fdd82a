#pragma once

#include <algorithm>

#include "fold_bias.hpp"
#include "inputs.hpp"

namespace nnrun::layers {

// y = x W + b. x is (N, in), W is (in, units), b is (units), y is (N, units).
struct Dense {
  static constexpr auto name = "dense";
  static constexpr auto doc = "fully connected layer: y = x W + b";

  std::int64_t units = 0;
  bool bias = true;
  Initializer weights{"he_uniform"};
  Initializer bias_initializer{"zeros"};

  static constexpr auto params() {
    return schema(param<&Dense::units>("units", "number of outputs a sample").required().at_least(1),
                  param<&Dense::bias>("bias", "whether to add a trained bias to each output"),
                  param<&Dense::weights>("weights", "how the weights start"),
                  param<&Dense::bias_initializer>("bias_initializer", "how the biases start"));
  }

  // y = max(y, 0) costs nothing where gemm writes y.
  // What is scaled and shifted in inference is as if other weights had made it: those of fold().
  bool absorb(std::uint32_t following) {
    if (relu_) return false;
    if (following == NNRUN_TRAIT_RELU) {
      relu_ = true;
    } else if (following == NNRUN_TRAIT_AFFINE && !affine_) {
      affine_ = true;
    } else {
      return false;
    }
    return true;
  }

  void plan(Plan& p) {
    const Tensor input = p.input();
    if (input.rank() != 2) {
      throw Error("takes (N, features), got " + sample_shape(input) + ": put `flatten` before it");
    }
    require_f32(input);
    in_ = input.dim(1);
    p.output({p.batch(), units});
    weight_ = p.weight("weights", {in_, units}, in_, units, weights);
    if (bias) bias_ = p.weight("bias", {units}, in_, units, bias_initializer, false);
    if (affine_) {
      folded_weight_ = p.folded(static_cast<std::size_t>(in_ * units) * sizeof(float));
      folded_bias_ = p.folded(static_cast<std::size_t>(units) * sizeof(float));
    }

    const nnrun_gemm_f32 forward_shape = forward_arguments(p.batch());
    forward_ = p.kernel(forward_shape);
    std::size_t bytes = forward_.workspace(forward_shape);

    const double flops = 2.0 * static_cast<double>(p.batch()) * static_cast<double>(in_) * static_cast<double>(units);
    frozen_ = p.frozen();
    p.cost(flops, (p.input_gradient() ? flops : 0) + (frozen_ ? 0 : flops));

    if (p.training()) {
      if (!frozen_) p.backward_needs_input();
      block_by_block_ = !frozen_ && takes_blocks(p);
      // Rows that are a multiple of 512 bytes apart share a few lines of the L1 cache; the weight gradient reads them over and over.
      gradient_stride_ = units % 128 == 0 && !block_by_block_ ? units + 16 : units;
      if (relu_) {
        p.backward_needs_output();
        nnrun_relu_backward_f32 shape{};
        shape.count = p.batch() * units;
        relu_backward_ = p.kernel(shape);
      }
      if (bias) {
        column_sum_ = p.kernel(bias_gradient_arguments(p.batch()));
        bytes = std::max(bytes, column_sum_.workspace(bias_gradient_arguments(p.batch())));
      }
      if (block_by_block_) {
        p.backward_overwrites_input();
        plan_both_gradients(p);
      } else if (!frozen_) {
        plan_weight_gradient(p);
        plan_update(p);
        if (updates_) bytes = std::max(bytes, update_.workspace(update_arguments(p.batch())));
      }
      if (p.input_gradient() && !block_by_block_) {
        const nnrun_gemm_f32 shape = input_gradient_arguments(p.batch());
        input_gradient_ = p.kernel(shape);
        bytes = std::max(bytes, input_gradient_.workspace(shape));
      }
      block_workspace_ = (block_workspace_ + 63) / 64 * 64;
      bytes = std::max(bytes, block_workspace_ * static_cast<std::size_t>(ranges_));
    }
    scratch_ = p.scratch(bytes);
    if (p.training() && gradient_stride_ != units) {
      spread_ = p.scratch(static_cast<std::size_t>(p.batch() * gradient_stride_) * sizeof(float));
    }
  }

  void forward(const Run& r) const {
    nnrun_gemm_f32 a = forward_arguments(r.batch());
    a.a = r.x().data();
    a.b = affine_ ? r.folded(folded_weight_) : r.weight(weight_).data();
    a.bias = affine_ ? r.folded(folded_bias_) : bias ? r.weight(bias_).data() : nullptr;
    a.c = r.y().data();
    forward_(a, r.scratch<void>(scratch_));
  }

  // W diag(scale), and b * scale + offset.
  void fold(const Run& r, const float* scale, const float* offset) const {
    const float* w = r.weight(weight_).data();
    float* folded = r.folded(folded_weight_);
    for (std::int64_t row = 0; row < in_; ++row) {
      for (std::int64_t unit = 0; unit < units; ++unit) folded[row * units + unit] = w[row * units + unit] * scale[unit];
    }
    fold_bias(bias ? r.weight(bias_).span() : std::span<const float>(), scale, offset,
              {r.folded(folded_bias_), static_cast<std::size_t>(units)});
  }

  void backward(const Run& r) const {
    void* workspace = r.scratch<void>(scratch_);
    float* dy = r.dy().data();
    if (gradient_stride_ != units) {
      dy = spread_rows(r);
    } else if (relu_) {
      mask(r, 0, r.batch() * units, dy);
    }
    // dx = dy W^T goes first: it reads the weights, which the optimizer may change from gradient_ready() on.
    if (r.input_gradient() && !block_by_block_) {
      nnrun_gemm_f32 a = input_gradient_arguments(r.batch());
      a.a = dy;
      a.b = r.weight(weight_).data();
      a.c = r.dx().data();
      input_gradient_(a, workspace);
    }
    if (frozen_) return;
    if (bias) {
      nnrun_column_sum_f32 a = bias_gradient_arguments(r.batch());
      a.x = dy;
      a.sum = r.d_weight(bias_).data();
      column_sum_(a, workspace);
      r.gradient_ready(bias_, 0, units);
    }
    if (nnrun_update update; updates_ && r.update_of(weight_, update)) {
      update_weights(r, dy, update, workspace);
      return;
    }
    // Blocks of rows of dW: each is stepped over while it is still in the cache. The last rows first, where the cache may have those of W
    // yet: the next forward pass begins with the first.
    r.parallel(ranges_, [&](std::int64_t range) {
      void* range_workspace = static_cast<std::byte*>(workspace) + static_cast<std::size_t>(range) * block_workspace_;
      for (std::int64_t i = blocks_ * range / ranges_; i < blocks_ * (range + 1) / ranges_; ++i) {
        const std::int64_t block = block_by_block_ ? i : blocks_ - 1 - i;
        const std::int64_t begin = block * block_rows_, rows = std::min(block_rows_, in_ - begin);
        if (block_by_block_) {
          both_gradients_of_block(r, dy, begin, rows, range_workspace);
        } else {
          weight_gradient_of_block(r, dy, begin, rows, range_workspace);
        }
      }
    });
  }

 private:
  static constexpr std::int64_t most_block_floats = 1 << 14;  // of dW: 64 KB
  static constexpr std::int64_t least_rows_of_both = 16;      // the longest vector

  // dW = x^T dy. Where it fits, it goes no further than the optimizer: memory of its own would push W out of the cache.
  void weight_gradient_of_block(const Run& r, const float* dy, std::int64_t begin, std::int64_t rows, void* workspace) const {
    alignas(64) float gradient[most_block_floats];
    const bool fits = rows * units <= most_block_floats;
    nnrun_gemm_f32 a = weight_gradient_arguments(rows, r.batch());
    a.a = r.x().data() + begin;
    a.b = dy;
    a.c = fits ? gradient : r.d_weight(weight_).data() + begin * units;
    (rows == block_rows_ ? weight_gradient_ : weight_gradient_rest_).serial(a, workspace);
    if (fits) {
      r.give_gradient(weight_, begin * units, (begin + rows) * units, gradient);
    } else {
      r.gradient_ready(weight_, begin * units, (begin + rows) * units);
    }
  }

  // The same, and the optimizer's step with it, all in one kernel.
  void update_weights(const Run& r, const float* dy, const nnrun_update& update, void* workspace) const {
    std::uint32_t finite = 1;
    nnrun_dense_update_f32 a = update_arguments(r.batch());
    a.x = r.x().data();
    a.dy = dy;
    a.weights = r.weight(weight_).data();
    a.finite = &finite;
    a.update = update;
    update_(a, workspace);
    r.updated(weight_, finite != 0);
  }

  // The gradient, and dx, while this part of W is in the cache; dW never goes to memory.
  void both_gradients_of_block(const Run& r, const float* dy, std::int64_t begin, std::int64_t rows, void* workspace) const {
    alignas(64) float gradient[most_block_floats];
    nnrun_dense_backward_f32 a = both_gradients_arguments(rows, r.batch());
    a.x = r.x().data() + begin;
    a.dy = dy;
    a.weights = r.weight(weight_).data() + begin * units;
    a.dx = r.dx().data() + begin;
    a.dweights = gradient;
    both_gradients_.serial(a, workspace);
    r.give_gradient(weight_, begin * units, (begin + rows) * units, gradient);
  }

  nnrun_gemm_f32 forward_arguments(std::int64_t batch) const {
    nnrun_gemm_f32 a{};
    a.m = batch;
    a.n = units;
    a.k = in_;
    a.lda = in_;
    a.ldb = units;
    a.ldc = units;
    a.has_bias = bias || affine_ ? 1 : 0;
    a.relu = relu_ ? 1 : 0;
    return a;
  }

  // dx (N, in) = dy (N, units) W^T
  nnrun_gemm_f32 input_gradient_arguments(std::int64_t batch) const {
    nnrun_gemm_f32 a{};
    a.m = batch;
    a.n = in_;
    a.k = units;
    a.transpose_b = 1;
    a.lda = gradient_stride_;
    a.ldb = units;
    a.ldc = in_;
    return a;
  }

  nnrun_dense_backward_f32 both_gradients_arguments(std::int64_t inputs, std::int64_t batch) const {
    nnrun_dense_backward_f32 a{};
    a.batch = batch;
    a.inputs = inputs;
    a.units = units;
    a.ldx = a.lddx = in_;
    a.lddy = units;
    return a;
  }

  // `rows` rows of dW (in, units) = x^T dy
  nnrun_gemm_f32 weight_gradient_arguments(std::int64_t rows, std::int64_t batch) const {
    nnrun_gemm_f32 a{};
    a.m = rows;
    a.n = units;
    a.k = batch;
    a.transpose_a = 1;
    a.lda = in_;
    a.ldb = gradient_stride_;
    a.ldc = units;
    a.serial = 1;
    return a;
  }

  nnrun_dense_update_f32 update_arguments(std::int64_t batch) const {
    nnrun_dense_update_f32 a{};
    a.batch = batch;
    a.inputs = in_;
    a.units = units;
    a.ldx = in_;
    a.lddy = gradient_stride_;
    return a;
  }

  nnrun_column_sum_f32 bias_gradient_arguments(std::int64_t batch) const {
    nnrun_column_sum_f32 a{};
    a.rows = batch;
    a.columns = units;
    a.ldx = gradient_stride_;
    return a;
  }

  // Weights that no L2 cache holds are read once, for both gradients, where there is a kernel made for that.
  bool takes_blocks(const Plan& p) const {
    constexpr std::int64_t l2_floats = 1 << 18;
    if (!p.input_gradient() || in_ * units <= l2_floats || units * least_rows_of_both > most_block_floats) return false;
    return p.score(both_gradients_arguments(least_rows_of_both, p.batch())) >=
           p.score(weight_gradient_arguments(least_rows_of_both, p.batch()));
  }

  // As many rows as stay in the cache until the optimizer has stepped over them. By the planned shape, so that a short last batch is cut
  // in the same way.
  void plan_both_gradients(const Plan& p) {
    block_rows_ = most_block_floats / units / least_rows_of_both * least_rows_of_both;
    cut_into_blocks();
    const nnrun_dense_backward_f32 shape = both_gradients_arguments(block_rows_, p.batch());
    both_gradients_ = p.kernel(shape);
    block_workspace_ = both_gradients_.workspace(shape);
  }

  // About 14 blocks, of a multiple of 14 rows (the tallest tile of the widest kernels), but none so small that handing it to a
  // thread costs more than its work, and none so large that it leaves the cache before the optimizer has stepped over it.
  void plan_weight_gradient(const Plan& p) {
    constexpr std::int64_t least_operations = 1 << 17;
    const std::int64_t row_operations = std::max<std::int64_t>(2 * units * p.batch(), 1);
    const std::int64_t least_rows = (least_operations + row_operations - 1) / row_operations;
    const std::int64_t most_rows = std::max<std::int64_t>(most_block_floats / units, 14);
    block_rows_ = std::max<std::int64_t>({std::min(in_ / 14, most_rows) / 14 * 14, (least_rows + 13) / 14 * 14, 14});
    block_rows_ = std::min(block_rows_, in_);
    cut_into_blocks();
    const nnrun_gemm_f32 shape = weight_gradient_arguments(block_rows_, p.batch());
    weight_gradient_ = p.kernel(shape);
    block_workspace_ = weight_gradient_.workspace(shape);
    if (const std::int64_t rest = in_ % block_rows_; rest != 0) {
      const nnrun_gemm_f32 rest_shape = weight_gradient_arguments(rest, p.batch());
      weight_gradient_rest_ = p.kernel(rest_shape);
      block_workspace_ = std::max(block_workspace_, weight_gradient_rest_.workspace(rest_shape));
    }
  }

  // Where there is a kernel that takes the optimizer's step with the gradient.
  void plan_update(const Plan& p) {
    updates_ = p.score(update_arguments(p.batch())) >= p.score(weight_gradient_arguments(block_rows_, p.batch()));
    if (updates_) update_ = p.kernel(update_arguments(p.batch()));
  }

  // A few blocks after the other in one range use the same workspace.
  void cut_into_blocks() {
    constexpr std::int64_t most_ranges = 16;
    blocks_ = (in_ + block_rows_ - 1) / block_rows_;
    ranges_ = std::min(blocks_, most_ranges);
  }

  // The gradient of what comes before ReLU.
  void mask(const Run& r, std::int64_t begin, std::int64_t count, float* to) const {
    nnrun_relu_backward_f32 a{};
    a.count = count;
    a.y = r.y().data() + begin;
    a.dy = r.dy().data() + begin;
    a.dx = to;
    relu_backward_(a);
  }

  // The same with its rows gradient_stride_ apart. Cut into columns, as the products are that make and take this.
  float* spread_rows(const Run& r) const {
    constexpr std::int64_t columns = 64;  // divides units, see plan()
    float* spread = r.scratch<float>(spread_);
    r.parallel(units / columns, [&](std::int64_t range) {
      for (std::int64_t i = 0; i < r.batch(); ++i) {
        const std::int64_t begin = i * units + range * columns;
        float* to = spread + i * gradient_stride_ + range * columns;
        if (relu_) {
          mask(r, begin, columns, to);
        } else {
          std::copy_n(r.dy().data() + begin, columns, to);
        }
      }
    });
    return spread;
  }

  bool relu_ = false, affine_ = false, frozen_ = false, block_by_block_ = false, updates_ = false;  // relu_, affine_: absorbed
  std::int64_t in_ = 0;
  std::int64_t gradient_stride_ = 0;
  std::int64_t block_rows_ = 0, blocks_ = 0, ranges_ = 0;
  std::size_t block_workspace_ = 0;
  int weight_ = 0, bias_ = 0, folded_weight_ = 0, folded_bias_ = 0, scratch_ = 0, spread_ = 0;
  Kernel<nnrun_gemm_f32> forward_, input_gradient_, weight_gradient_, weight_gradient_rest_;
  Kernel<nnrun_dense_backward_f32> both_gradients_;
  Kernel<nnrun_dense_update_f32> update_;
  Kernel<nnrun_column_sum_f32> column_sum_;
  Kernel<nnrun_relu_backward_f32> relu_backward_;
};

}  // namespace nnrun::layers
