// A planned net with its memory: forward and backward, without allocating.
#pragma once

#include "net/memory.hpp"
#include "net/plan.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::core {

// Who takes finished gradients, eg: the optimizer. Called from any thread, while backward goes on.
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  // gradient(slot)[begin, end) is final and the weights there are not read any more in this step.
  virtual void slice_ready(std::size_t slot, std::int64_t begin, std::int64_t end) = 0;
  // The slice is at `values`, not among the gradients.
  virtual void slice_given(std::size_t slot, std::int64_t begin, std::int64_t end, const float* values) = 0;
  // Whether the layer is to take the step over a weight itself, and which; then it does, and says so.
  virtual bool update_of(std::size_t slot, nnrun_update& update) = 0;
  virtual void updated(std::size_t slot, bool finite) = 0;
  // A layer's backward is done: whatever of its weights was not mentioned is final now. From the main thread.
  virtual void layer_done(std::size_t first_slot, std::size_t slot_count) = 0;
};

// Sees each layer as it runs, for a look inside. What it sees at a call is valid until the next one.
class LayerWatcher {
 public:
  virtual ~LayerWatcher() = default;
  virtual void forward_done(std::size_t layer) = 0;
  virtual void backward_starts(std::size_t layer) = 0;  // its output's gradient is whole
  virtual void backward_done(std::size_t layer) = 0;    // before its inputs' gradients are added to those of others
};

// Seconds that the layers took, added up; one entry a planned layer.
struct LayerTimes {
  std::vector<double> forward, backward;
};

class Network {
 public:
  // `parameters` empty: they are made from what the layers declare; otherwise shared, and must fit.
  Network(const ModelSettings& model, const HostServices& host, const nnrun_tensor& input, bool training, std::uint64_t seed,
          std::shared_ptr<Parameters> parameters = nullptr, const PlanOptions& options = {});

  const std::shared_ptr<Parameters>& parameters() const { return parameters_; }
  // Fills weights and states as the layers' initializers say.
  void initialize_parameters();

  std::int64_t max_batch() const { return plan_.tensors[0].dim[0]; }
  // The input, to be filled before forward(); rows behind `batch` are not read.
  const nnrun_tensor& input() const { return tensors_[0]; }
  const nnrun_tensor& output() const { return tensors_[plan_.output()]; }
  // Filled by the loss between forward and backward.
  const nnrun_tensor& output_gradient() const { return gradients_[plan_.output()]; }

  // Of a net that folds (PlanOptions): its parameters are others than at the last forward().
  void parameters_changed() { is_folded_ = false; }

  // How many samples the next calls are about; at most max_batch().
  void set_batch(std::int64_t batch);
  void forward(std::int64_t step);
  // Forward again with the same input, layer by layer: the first (index in plan().layers) whose output is not finite.
  std::optional<std::size_t> forward_until_not_finite(std::int64_t step);
  void backward(std::int64_t step, GradientSink* sink);
  // One layer alone, on what its tensors hold.
  void forward_layer(std::size_t index, std::int64_t step);
  void backward_layer(std::size_t index, std::int64_t step, GradientSink* sink);

  // From now on (until NULL); entries are added to.
  void measure(LayerTimes* times) { times_ = times; }
  void watch(LayerWatcher* watcher) { watcher_ = watcher; }

  const ModelPlan& plan() const { return plan_; }
  std::size_t memory_bytes() const;  // without parameters; folded ones count
  // Tensors of the last forward() are valid only where the plan keeps them, or to a watcher; for tests and tools.
  const nnrun_tensor& value(std::size_t tensor) const { return tensors_[tensor]; }
  const nnrun_tensor& gradient(std::size_t tensor) const { return gradients_[tensor]; }
  // Of the layer's first weight; the others follow.
  std::size_t first_weight(std::size_t layer) const { return runners_[layer].first_weight; }
  const nnrun_tensor& input_gradient(std::size_t layer, std::size_t input = 0) const { return input_gradients_[layer][input]; }

 private:
  struct Runner {
    nnrun_run run;
    std::vector<nnrun_tensor> inputs, weights, d_weights, states;
    nnrun_tensor output, d_output;
    std::vector<void*> saved, forward_scratch, backward_scratch, folded;
    std::size_t first_weight = 0;
    Network* network = nullptr;
  };
  // What a layer's weights take in.
  struct Affine {
    std::size_t layer = 0;
    nnrun_run run{};
    std::vector<nnrun_tensor> weights, states;
    std::vector<Buffer> folded;
    std::vector<float> scale, offset;  // one a channel
  };

  void bind_parameters();
  void make_runners(bool share_memory);
  void make_affine(std::size_t layer, std::size_t& weight, std::size_t& state);
  void prepare_forward(std::size_t index, std::int64_t step);
  void prepare_backward(std::size_t index, std::int64_t step, GradientSink* sink);
  void finish_backward(std::size_t index, GradientSink* sink);
  // How a chain of the plan runs with this batch.
  struct Cut {
    std::int64_t slices = 0;  // 0: its layers run one after the other
    bool ahead = false;       // with the first part of the layer that begins the next chain
    bool is_ahead = false;    // its own first layer has that done already
  };
  std::vector<Cut> cuts_of(const std::vector<LayerChain>& chains, bool backward) const;
  void run_chain(const LayerChain& chain, const Cut& cut, bool backward);
  void run_slice(std::size_t index, const nnrun_slice& slice);
  void fold();
  void for_each_batched_tensor(const auto& fn);
  void add_shared_gradients(std::size_t layer);

  ModelPlan plan_;
  const HostServices& host_;
  const bool training_;
  const std::uint64_t seed_;
  std::shared_ptr<Parameters> parameters_;
  Buffer memory_;
  std::vector<nnrun_tensor> tensors_, gradients_;
  std::vector<std::vector<nnrun_tensor>> input_gradients_;
  std::vector<Runner> runners_;
  std::vector<Affine> affines_;
  bool is_folded_ = false;
  std::int64_t batch_ = 0;
  GradientSink* sink_ = nullptr;
  std::vector<Cut> forward_cuts_, backward_cuts_;
  std::vector<double> slice_seconds_;  // (layers, most_slices); what the slices took, where that is measured
  LayerTimes* times_ = nullptr;
  LayerWatcher* watcher_ = nullptr;
};

}  // namespace nnrun::core
