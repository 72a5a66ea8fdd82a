// The optimizer as a taker of gradients: steps over slices while they are in the cache, or, where something needs all gradients at
// once (clipping, several batches a step), over all of them behind the backward pass.
#pragma once

#include "net/network.hpp"

#include <nnrun/nnrun.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace nnrun::core {

constexpr std::size_t max_optimizer_states = 8;

struct UpdateOptions {
  double clip_norm = 0;      // 0: gradients are not clipped
  std::int64_t batches = 1;  // whose gradients make up one step, at most
};

class Updater : public GradientSink {
 public:
  // Gives `parameters` the memory that the optimizer wants. Throws DiagnosticError.
  Updater(const ComponentSpec& optimizer, const HostServices& host, Parameters& parameters, const UpdateOptions& options = {});

  // Before a step's first backward. Returns the learning rate.
  double begin(const nnrun_progress& progress);
  void slice_ready(std::size_t slot, std::int64_t begin, std::int64_t end) override;
  void slice_given(std::size_t slot, std::int64_t begin, std::int64_t end, const float* values) override;
  bool update_of(std::size_t slot, nnrun_update& update) override;
  void updated(std::size_t slot, bool finite) override;
  void layer_done(std::size_t first_slot, std::size_t slot_count) override;
  // Behind each backward: how many samples its gradient is the mean over.
  void end_batch(std::int64_t samples);
  // Behind the last backward of a step. Returns the norm of all gradients before clipping; 0 where they are not clipped.
  double finish();

  // The first weight whose gradient was not finite in this step.
  std::optional<std::size_t> not_finite() const;

 private:
  // Part of one weight: what one range of a parallel loop works on.
  struct Block {
    std::size_t slot;
    std::int64_t begin, end;
  };

  bool waits() const { return options_.clip_norm > 0 || options_.batches > 1; }
  bool steps_at_once(std::size_t slot) const;
  using States = std::array<float*, max_optimizer_states>;
  nnrun_step arguments_of(std::size_t slot, std::int64_t begin, std::int64_t end, States& states) const;
  void step(std::size_t slot, std::int64_t begin, std::int64_t end, const float* gradients);
  // body(index, block) for each block, in parallel. A block is cut by the weights' shapes alone.
  void for_each_block(const auto& body) const;
  double gradient_norm();

  Instance instance_;
  const nnrun_optimizer_vtable& table_;
  const HostServices& host_;
  Parameters& parameters_;
  const UpdateOptions options_;
  double rate_ = 0;
  std::int64_t step_ = 0;
  std::vector<std::atomic<std::int64_t>> stepped_;  // elements, of each slot
  std::vector<std::atomic<bool>> not_finite_;
  std::vector<Block> blocks_;               // of all weights that learn; where the optimizer waits
  std::vector<double> block_squares_;       // the sum of each block's squared gradients
  Buffer sums_;                             // of gradients times samples, where several batches make up a step
  std::int64_t batches_ = 0, samples_ = 0;  // of this step so far
};

}  // namespace nnrun::core
