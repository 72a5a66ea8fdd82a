// Where a planned net's activations, gradients and scratch lie: lifetimes from the plan, placed in one arena.
#pragma once

#include "net/plan.hpp"

#include <cstddef>
#include <vector>

namespace nnrun::core {

constexpr std::size_t no_offset = static_cast<std::size_t>(-1);

struct LayerMemory {
  std::vector<std::size_t> saved, forward_scratch, backward_scratch;  // offsets
};

struct MemoryPlan {
  std::vector<std::size_t> values;     // offset of each tensor
  std::vector<std::size_t> gradients;  // offset of each tensor's gradient; no_offset where nobody needs it
  // Where the gradient of input k of layer i is written: the tensor's own gradient, or, for all but the last of several
  // consumers, a part of its own that is added to it. Offsets; no_offset where not needed.
  std::vector<std::vector<std::size_t>> input_gradients;
  std::vector<LayerMemory> layers;
  std::size_t bytes = 0;
};

// `share` false: every tensor has a place of its own for the whole step.
MemoryPlan plan_memory(const ModelPlan& model, bool training, bool share = true);

}  // namespace nnrun::core
