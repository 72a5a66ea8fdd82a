// Asks layers, in order, for their outputs, weights and memory. Shapes only; nothing is allocated.
#pragma once

#include "config/settings.hpp"
#include "net/parameters.hpp"
#include "plugins/host.hpp"
#include "plugins/instance.hpp"

#include <nnrun/nnrun.h>

#include <memory>
#include <string>
#include <vector>

namespace nnrun::core {

struct DeclaredWeight {
  Slot slot;
  std::int64_t fan_in, fan_out;
  nnrun_component_handle initializer;
};

struct DeclaredState {
  Slot slot;
  float value;  // of f32; whole numbers start at 0
};

// A kernel that a layer got.
struct PlannedKernel {
  std::string request;  // as run.kernels names it, eg: "1.dense/gemm_f32#2"
  KernelChoice choice;
};

// One layer that will run. Tensors are numbered: 0 is the net's input, others are outputs of layers.
struct PlannedLayer {
  std::unique_ptr<Instance> instance;
  std::size_t index = 0;                       // in model.layers
  std::string name;                            // eg: "1.dense", or its `name:`
  std::vector<const ComponentSpec*> absorbed;  // layers whose work it does
  std::vector<std::size_t> inputs;
  std::size_t output = 0;
  bool input_gradient = false;  // somebody before it learns
  bool runs_backward = false;
  bool frozen = false;
  bool in_place = false;
  std::uint32_t backward_needs = 0;
  std::vector<DeclaredWeight> weights;
  std::vector<DeclaredState> states;
  std::vector<std::size_t> saved, scratch;  // bytes
  std::vector<std::size_t> folded;          // bytes, written by fold()
  std::unique_ptr<PlannedLayer> affine;     // of those absorbed, the one that fold() takes in; it has weights and states, and never runs
  double forward_flops = 0, backward_flops = 0;
  std::vector<std::string> kernels;    // eg: "gemm_f32 (avx512)"
  std::vector<PlannedKernel> choices;  // in the order in which the layer asked

  const nnrun_layer_vtable& vtable() const { return instance->vtable<nnrun_layer_vtable>(); }
};

// Layers `first` to `last`, one behind the other, that can go through the batch in slices: see nnrun_layer_vtable. With `ahead`, the next
// chain (backward: the one before) begins right here, with a layer that can do its first part on each slice (NNRUN_SLICES_AHEAD).
struct LayerChain {
  std::size_t first, last;
  bool ahead = false;
  bool alone() const { return first == last; }
};

struct ModelPlan {
  std::vector<nnrun_tensor> tensors;  // without data; dim[0] is the largest batch
  std::vector<PlannedLayer> layers;
  std::vector<LayerChain> forward_chains, backward_chains;  // in order
  std::size_t output() const { return layers.back().output; }
};

// For a look inside. A run has both.
struct PlanOptions {
  bool absorb = true;        // layers may take over the work of those behind them
  bool fold = false;         // without training: weights may take in the scales and offsets of layers behind them
  bool share_memory = true;  // tensors that never live at the same time do so in the same place
};

// `input` is the first layer's; dim[0] the largest batch. Throws DiagnosticError where a layer refuses.
ModelPlan plan_model(const ModelSettings& model, const HostServices& host, const nnrun_tensor& input, bool training,
                     const PlanOptions& options = {});

// Into how many slices the layer's pass over `batch` samples can be cut: any common divisor of both; 0: none.
std::int64_t slices_of(const PlannedLayer& layer, std::int64_t batch, bool backward);
// The same of its part in NNRUN_SLICES_AHEAD.
std::int64_t slices_ahead_of(const PlannedLayer& layer, std::int64_t batch, bool backward);

std::size_t tensor_bytes(const nnrun_tensor& tensor);
std::size_t dtype_bytes(std::uint32_t dtype);

}  // namespace nnrun::core
