// What a layer plans with, and what it runs on.
#pragma once

#include <nnrun/nnrun.h>
#include <nnrun/plugin/host.hpp>
#include <nnrun/plugin/kernel.hpp>
#include <nnrun/plugin/parameter.hpp>
#include <nnrun/plugin/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace nnrun {

class Plan {
 public:
  Plan(nnrun_plan* c) : c_(c) {}

  Tensor input(std::size_t index = 0) const {
    if (index >= c_->input_count) throw Error("needs " + std::to_string(index + 1) + " inputs, got " + std::to_string(c_->input_count));
    return Tensor(c_->inputs[index]);
  }
  std::size_t input_count() const { return c_->input_count; }
  std::int64_t batch() const { return c_->inputs[0].dim[0]; }
  bool training() const { return c_->training != 0; }
  bool input_gradient() const { return c_->input_gradient != 0; }
  bool frozen() const { return c_->frozen != 0; }
  Host host() const { return Host(c_->host); }

  void output(const Tensor& like) { output(like.shape(), like.dtype()); }
  void output(const Shape& shape, nnrun_dtype dtype = NNRUN_F32) {
    nnrun_error error{};
    detail::check(c_->output(c_->context, dtype, static_cast<std::uint32_t>(shape.size()), shape.data(), &error), error);
  }

  // A trained tensor; its index for Run::weight().
  int weight(const char* name, const Shape& shape, std::int64_t fan_in, std::int64_t fan_out, const Initializer& initializer,
             bool decays = true) {
    nnrun_error error{};
    const int index = c_->weight(c_->context, name, static_cast<std::uint32_t>(shape.size()), shape.data(), fan_in, fan_out,
                                 &initializer.handle(), decays ? static_cast<std::uint32_t>(NNRUN_WEIGHT_DECAY) : 0u, &error);
    detail::check(index < 0, error);
    return index;
  }
  // A tensor saved with the weights, not trained; its index for Run::state().
  int state(const char* name, const Shape& shape, float value) {
    nnrun_error error{};
    const int index = c_->state(c_->context, name, static_cast<std::uint32_t>(shape.size()), shape.data(), value, &error);
    detail::check(index < 0, error);
    return index;
  }
  // A tensor of u8, s8 or s32, which a quantizer makes; the index for Run::state().
  int integers(const char* name, nnrun_dtype dtype, const Shape& shape) {
    nnrun_error error{};
    const int index = c_->integers(c_->context, name, dtype, static_cast<std::uint32_t>(shape.size()), shape.data(), &error);
    detail::check(index < 0, error);
    return index;
  }
  // Bytes kept from forward to backward; the index for Run::saved().
  int saved(std::size_t bytes) {
    nnrun_error error{};
    const int index = c_->saved(c_->context, bytes, &error);
    detail::check(index < 0, error);
    return index;
  }
  // Bytes for the time of one call; the index for Run::scratch().
  int scratch(std::size_t bytes) {
    nnrun_error error{};
    const int index = c_->scratch(c_->context, bytes, &error);
    detail::check(index < 0, error);
    return index;
  }
  // Bytes that fold() writes and forward() reads; the index for Run::folded().
  int folded(std::size_t bytes) {
    nnrun_error error{};
    const int index = c_->folded(c_->context, bytes, &error);
    detail::check(index < 0, error);
    return index;
  }
  void backward_needs_input() { c_->backward_needs(c_->context, NNRUN_BACKWARD_NEEDS_INPUT); }
  // Backward has read each number of x for the last time before it writes dx there: dx may be x's memory.
  void backward_overwrites_input() { c_->backward_needs(c_->context, NNRUN_BACKWARD_OVERWRITES_INPUT); }
  void backward_needs_output() { c_->backward_needs(c_->context, NNRUN_BACKWARD_NEEDS_OUTPUT); }
  void in_place() { c_->in_place(c_->context); }
  // Floating-point operations for the whole batch.
  void cost(double forward_flops, double backward_flops) { c_->cost(c_->context, forward_flops, backward_flops); }

  template <class Arguments>
  Kernel<Arguments> kernel(const Arguments& shape) const {
    return Kernel<Arguments>(host(), shape);
  }
  // Of the kernel that kernel() would give: 0 is scalar's, -1: there is none.
  template <class Arguments>
  int score(const Arguments& shape) const {
    return c_->host->score(c_->host, KernelTraits<Arguments>::name, &shape);
  }

 private:
  nnrun_plan* c_;
};

class Run {
 public:
  Run(const nnrun_run* c) : c_(c) {}

  Tensor x(std::size_t index = 0) const { return Tensor(c_->inputs[index]); }
  Tensor y() const { return Tensor(*c_->output); }
  Tensor dy() const { return Tensor(*c_->d_output); }
  Tensor dx(std::size_t index = 0) const { return c_->input_gradient ? Tensor(c_->d_inputs[index]) : Tensor(); }
  Tensor weight(int index) const { return Tensor(c_->weights[index]); }
  Tensor d_weight(int index) const { return Tensor(c_->d_weights[index]); }
  Tensor state(int index) const { return Tensor(c_->states[index]); }
  template <class T = float>
  T* saved(int index) const {
    return static_cast<T*>(c_->saved[index]);
  }
  template <class T = float>
  T* scratch(int index) const {
    return static_cast<T*>(c_->scratch[index]);
  }
  float* folded(int index) const { return static_cast<float*>(c_->folded[index]); }
  bool training() const { return c_->training != 0; }
  bool input_gradient() const { return c_->input_gradient != 0; }
  std::int64_t batch() const { return c_->inputs[0].dim[0]; }
  const nnrun_random_key& key() const { return c_->key; }
  Host host() const { return Host(c_->host); }

  template <class Function>
  void parallel(std::int64_t ranges, Function&& fn) const {
    host().parallel(ranges, std::forward<Function>(fn));
  }
  template <class Function>
  void parallel_elements(std::int64_t count, Function&& fn) const {
    host().parallel_elements(count, std::forward<Function>(fn));
  }
  // d_weight(index)[begin, end) is final, and that part of the weight is not read any more; see nnrun_run.
  void gradient_ready(int index, std::int64_t begin, std::int64_t end) const {
    if (c_->gradient_ready != nullptr) c_->gradient_ready(c_->context, static_cast<std::uint32_t>(index), begin, end);
  }
  // The same, but the slice is at `values`, and d_weight(index) was not written.
  void give_gradient(int index, std::int64_t begin, std::int64_t end, const float* values) const {
    if (c_->gradient_given != nullptr) {
      c_->gradient_given(c_->context, static_cast<std::uint32_t>(index), begin, end, values);
      return;
    }
    std::memcpy(d_weight(index).data() + begin, values, static_cast<std::size_t>(end - begin) * sizeof(float));
    gradient_ready(index, begin, end);
  }
  // Whether the layer is to take the optimizer's step over this weight with its gradient, and which; then updated(). See nnrun_run.
  bool update_of(int index, nnrun_update& update) const {
    return c_->update_of != nullptr && c_->update_of(c_->context, static_cast<std::uint32_t>(index), &update) != 0;
  }
  void updated(int index, bool finite) const { c_->updated(c_->context, static_cast<std::uint32_t>(index), finite ? 1 : 0); }

 private:
  const nnrun_run* c_;
};

}  // namespace nnrun
