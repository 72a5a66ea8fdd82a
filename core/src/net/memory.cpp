#include "net/memory.hpp"

#include "base/arena.hpp"

#include <algorithm>

namespace nnrun::core {

namespace {

// Time runs from 0: forward of layer i is at i, the loss at L, backward of layer i at 2L - i, for L layers.
class MemoryPlanner {
 public:
  MemoryPlanner(const ModelPlan& model, bool training, bool share)
      : model_(model), training_(training), share_(share), layer_count_(static_cast<int>(model.layers.size())) {}

  MemoryPlan make() {
    plan_values();
    if (training_) plan_gradients();
    plan_layers();
    plan_ahead();
    for (const LayerChain& chain : model_.forward_chains) live_together(static_cast<int>(chain.first), static_cast<int>(chain.last));
    for (const LayerChain& chain : model_.backward_chains) {
      live_together(backward_time(static_cast<int>(chain.last)), backward_time(static_cast<int>(chain.first)));
    }
    std::vector<Block> placed = blocks_;
    MemoryPlan plan;
    plan.bytes = place_blocks(placed);
    const auto offset = [&](std::size_t block) { return block == no_offset ? no_offset : placed[block].offset; };
    const auto offsets = [&](const std::vector<std::size_t>& list) {
      std::vector<std::size_t> result;
      for (const std::size_t block : list) result.push_back(offset(block));
      return result;
    };
    plan.values = offsets(value_blocks_);
    plan.gradients = offsets(gradient_blocks_);
    for (const auto& list : input_gradient_blocks_) plan.input_gradients.push_back(offsets(list));
    for (const LayerMemory& layer : layer_blocks_) {
      plan.layers.push_back({offsets(layer.saved), offsets(layer.forward_scratch), offsets(layer.backward_scratch)});
    }
    return plan;
  }

 private:
  int backward_time(int layer) const { return 2 * layer_count_ - layer; }

  std::size_t add_block(std::size_t bytes, int first, int last) {
    if (!share_) first = 0, last = 2 * layer_count_ + 1;
    blocks_.push_back({bytes, first, last, 0});
    return blocks_.size() - 1;
  }

  void extend(std::size_t block, int first, int last) {
    blocks_[block].first = std::min(blocks_[block].first, first);
    blocks_[block].last = std::max(blocks_[block].last, last);
  }

  // Layers of a chain run all at once.
  void live_together(int first, int last) {
    for (Block& block : blocks_) {
      if (block.first > first && block.first <= last) block.first = first;
      if (block.last >= first && block.last < last) block.last = last;
    }
  }

  // What a layer has for itself, where its first part runs in the chain before its own.
  void plan_ahead() {
    const auto begin_with = [&](const std::vector<std::size_t>& scratch, int time) {
      for (const std::size_t block : scratch) extend(block, time, time);
    };
    for (const LayerChain& chain : model_.forward_chains) {
      if (chain.ahead) begin_with(layer_blocks_[chain.last + 1].forward_scratch, static_cast<int>(chain.first));
    }
    for (const LayerChain& chain : model_.backward_chains) {
      if (chain.ahead) begin_with(layer_blocks_[chain.first - 1].backward_scratch, backward_time(static_cast<int>(chain.last)));
    }
  }

  int consumers(std::size_t tensor) const {
    int count = 0;
    for (const PlannedLayer& layer : model_.layers) {
      count += static_cast<int>(std::count(layer.inputs.begin(), layer.inputs.end(), tensor));
    }
    return count;
  }

  // The layer whose output `tensor` is; NULL for the net's input.
  const PlannedLayer* producer(std::size_t tensor) const {
    for (const PlannedLayer& layer : model_.layers) {
      if (layer.output == tensor) return &layer;
    }
    return nullptr;
  }

  bool same_bytes(std::size_t a, std::size_t b) const { return tensor_bytes(model_.tensors[a]) == tensor_bytes(model_.tensors[b]); }

  bool may_share(const PlannedLayer& layer) const { return share_ && layer.inputs.size() == 1 && consumers(layer.inputs[0]) == 1; }

  // May this layer's gradient for its input overwrite the input? Not where anybody reads that later.
  bool overwrites_value(const PlannedLayer& layer, int now) const {
    return may_share(layer) && (layer.backward_needs & NNRUN_BACKWARD_OVERWRITES_INPUT) != 0 &&
           model_.tensors[layer.inputs[0]].dtype == NNRUN_F32 && blocks_[value_blocks_[layer.inputs[0]]].last == now;
  }

  // May this layer's output overwrite its input?
  bool shares_value(const PlannedLayer& layer) const {
    const std::size_t input = layer.inputs[0];
    const PlannedLayer* before = producer(input);
    return may_share(layer) && layer.in_place && same_bytes(input, layer.output) &&
           (!layer.runs_backward || (layer.backward_needs & NNRUN_BACKWARD_NEEDS_INPUT) == 0) &&
           (before == nullptr || !before->runs_backward || (before->backward_needs & NNRUN_BACKWARD_NEEDS_OUTPUT) == 0);
  }

  void plan_values() {
    value_blocks_.assign(model_.tensors.size(), no_offset);
    value_blocks_[0] = add_block(tensor_bytes(model_.tensors[0]), 0, 0);
    for (int i = 0; i < layer_count_; ++i) {
      const PlannedLayer& layer = model_.layers[static_cast<std::size_t>(i)];
      const bool keeps_input = layer.runs_backward && (layer.backward_needs & NNRUN_BACKWARD_NEEDS_INPUT) != 0;
      for (const std::size_t input : layer.inputs) extend(value_blocks_[input], i, keeps_input ? backward_time(i) : i);
      const bool keeps_output = layer.runs_backward && (layer.backward_needs & NNRUN_BACKWARD_NEEDS_OUTPUT) != 0;
      const std::size_t block =
          shares_value(layer) ? value_blocks_[layer.inputs[0]] : add_block(tensor_bytes(model_.tensors[layer.output]), i, i);
      extend(block, i, keeps_output ? backward_time(i) : i);
      value_blocks_[layer.output] = block;
    }
    // The net's output is read after the step, too.
    extend(value_blocks_[model_.output()], 0, 2 * layer_count_ + 1);
  }

  void plan_gradients() {
    gradient_blocks_.assign(model_.tensors.size(), no_offset);
    input_gradient_blocks_.resize(model_.layers.size());
    const std::size_t output = model_.output();
    gradient_blocks_[output] = add_block(tensor_bytes(model_.tensors[output]), layer_count_, layer_count_);
    for (int i = layer_count_ - 1; i >= 0; --i) {
      const PlannedLayer& layer = model_.layers[static_cast<std::size_t>(i)];
      auto& targets = input_gradient_blocks_[static_cast<std::size_t>(i)];
      targets.assign(layer.inputs.size(), no_offset);
      if (!layer.runs_backward) continue;
      const int now = backward_time(i);
      if (gradient_blocks_[layer.output] == no_offset) {
        // Nobody behind it uses its output; its gradient is zero.
        gradient_blocks_[layer.output] = add_block(tensor_bytes(model_.tensors[layer.output]), layer_count_, now);
      }
      extend(gradient_blocks_[layer.output], now, now);
      if (!layer.input_gradient) continue;
      for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
        const std::size_t input = layer.inputs[k];
        std::size_t& gradient = gradient_blocks_[input];
        if (gradient == no_offset) {
          if (may_share(layer) && layer.in_place && same_bytes(input, layer.output)) {
            gradient = gradient_blocks_[layer.output];
          } else if (overwrites_value(layer, now)) {
            gradient = value_blocks_[input];
          } else {
            gradient = add_block(tensor_bytes(model_.tensors[input]), now, now);
          }
          targets[k] = gradient;
        } else {
          targets[k] = add_block(tensor_bytes(model_.tensors[input]), now, now);
          extend(gradient, now, now);
        }
      }
    }
  }

  void plan_layers() {
    for (int i = 0; i < layer_count_; ++i) {
      const PlannedLayer& layer = model_.layers[static_cast<std::size_t>(i)];
      LayerMemory memory;
      const int last = layer.runs_backward ? backward_time(i) : i;
      for (const std::size_t bytes : layer.saved) memory.saved.push_back(add_block(bytes, i, last));
      for (const std::size_t bytes : layer.scratch) {
        memory.forward_scratch.push_back(add_block(bytes, i, i));
        if (layer.runs_backward) memory.backward_scratch.push_back(add_block(bytes, last, last));
      }
      layer_blocks_.push_back(std::move(memory));
    }
  }

  const ModelPlan& model_;
  const bool training_, share_;
  const int layer_count_;
  std::vector<Block> blocks_;
  std::vector<std::size_t> value_blocks_, gradient_blocks_;
  std::vector<std::vector<std::size_t>> input_gradient_blocks_;
  std::vector<LayerMemory> layer_blocks_;
};

}  // namespace

MemoryPlan plan_memory(const ModelPlan& model, bool training, bool share) { return MemoryPlanner(model, training, share).make(); }

}  // namespace nnrun::core
