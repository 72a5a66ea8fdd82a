// One layer between guards: planned for a shape, with all the memory that it asked for, ready to run.
#pragma once

#include "plugin_check/plugin_check_parts.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::core::checking {

// The component said no, with a message: no failure by itself.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct LayerSetup {
  Shape sample;  // without the batch
  std::int64_t batch = 7;
  nnrun_dtype dtype = NNRUN_F32;
  bool training = true;
  bool input_gradient = true;
  bool absorb_relu = false;
};

class LayerBench {
 public:
  // Creates, plans and allocates. Weights are the initializers', a little moved, so that zeros do not hide anything; inputs are
  // away from zero. Throws Refused, or Failure where the plan breaks a rule.
  LayerBench(const ComponentSpec& spec, const nnrun_host* host, const LayerSetup& setup);

  // At most the planned batch; new inputs.
  void set_batch(std::int64_t batch);
  // Both throw Failure where the layer fails, writes where it must not, or leaves rows unwritten.
  void forward();
  void backward();

  struct Tensor {
    nnrun_tensor c{};
    std::unique_ptr<GuardedMemory> memory;
    std::span<float> floats() const;     // of the current batch; none where it is of another type
    std::vector<float> numbers() const;  // of any type
  };
  struct Weight {
    Tensor value, gradient;
    std::string name;
  };

  std::vector<Tensor> inputs, d_inputs;
  Tensor output, d_output;
  std::vector<Weight> weights;
  std::vector<Tensor> states;
  bool in_place = false;
  std::uint32_t needs = 0;  // NNRUN_BACKWARD_NEEDS_...
  // How to run.
  bool share_value = false;      // y is x's memory
  bool share_gradient = false;   // dx is dy's memory
  bool overwrite_input = false;  // dx is x's memory
  bool in_slices = false;        // in slices, where the layer can
  bool poison_unneeded = false;  // what backward does not ask for is gone by then, as in the host
  bool watch_ready = false;      // listen to gradient_ready(), and spoil the weights that are given up
  bool said_ready = false;

  bool has_backward() const { return table_.backward != nullptr; }
  // A number of slices that fits the batch; 0: there is none.
  std::int64_t slices(bool backward) const;
  std::int64_t slices_ahead(bool backward) const;  // the same of what goes ahead of them
  std::int64_t batch() const { return batch_; }
  // The weights for the current output, for sums over it.
  std::vector<float> output_weights(std::uint32_t which) const;

 private:
  void plan(const nnrun_host* host, const LayerSetup& setup);
  nnrun_plan make_plan(const std::vector<nnrun_tensor>& shapes, const LayerSetup& setup, const nnrun_host* host);
  nnrun_run make_run();
  void call(bool backward, const nnrun_run& run);
  int run_layer(bool backward, const nnrun_run& run, nnrun_error& error);
  void verify_guards() const;
  Tensor make(const nnrun_tensor& shape) const;
  void declare(const char* name, std::uint32_t rank, const std::int64_t* dim);
  void given(std::uint32_t weight, std::int64_t begin, std::int64_t end, const float* values);
  void ready(std::uint32_t weight, std::int64_t begin, std::int64_t end);
  void verify_ready(const std::vector<std::vector<std::byte>>& weights_before);

  Instance instance_;
  const nnrun_layer_vtable& table_;
  const nnrun_host* host_;
  const bool training_;
  const bool input_gradient_;
  std::int64_t planned_batch_, batch_ = 0;
  bool has_output_ = false;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<GuardedMemory>> saved_, scratch_;
  std::vector<std::vector<std::byte>> initial_states_;
  std::vector<nnrun_tensor> input_views_, d_input_views_, weight_views_, d_weight_views_, state_views_;
  nnrun_tensor output_view_{}, d_output_view_{};
  std::vector<void*> saved_pointers_, scratch_pointers_;
  struct Ready {
    std::uint32_t weight;
    std::int64_t begin, end;
    std::vector<float> gradient;
  };
  std::mutex ready_mutex_;
  std::vector<Ready> ready_;
};

}  // namespace nnrun::core::checking
