// One step of training: load a batch, forward, loss, backward, update. Allocates nothing after it is made.
#pragma once

#include "net/network.hpp"
#include "net/update.hpp"
#include "plugins/environment.hpp"
#include "training/batch_ahead.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace nnrun::core {

class TrainingStep {
 public:
  TrainingStep(const Environment& environment, Data& data);

  struct Result {
    double loss_sum = 0;  // of the batch's samples, not their mean
    double learning_rate = 0;
    double gradient_norm = 0;  // before clipping; 0 where gradients are not clipped
  };
  // `positions`: which samples of the training subset, up to train.accumulate batches of them; `next`: those of the following step, if
  // known. Throws RunError where the loss or a gradient is not finite, naming layer and step; the weights are then not to be saved.
  Result run(std::span<const std::uint32_t> positions, const nnrun_progress& progress, std::span<const std::uint32_t> next = {});

  Network& network() { return network_; }
  const std::shared_ptr<Parameters>& parameters() const { return network_.parameters(); }

 private:
  // One batch: forward, loss, backward. `pass` numbers all batches of the run: layers draw other random numbers in each. Returns the
  // sum of the samples' losses.
  double run_batch(std::span<const std::uint32_t> positions, const nnrun_progress& progress, std::int64_t pass);
  void load(std::span<const std::uint32_t> positions, const nnrun_progress& progress, std::span<const std::uint32_t> following);
  nnrun_tensor labels(std::int64_t batch);
  [[noreturn]] void refuse_loss(std::span<const std::uint32_t> positions, const nnrun_progress& progress, std::int64_t pass);

  const Settings& settings_;
  Data& data_;
  Network network_;
  LossFunction loss_;
  Updater updater_;
  Buffer labels_;
  Buffer mixed_labels_;              // f32, where samples are mixed
  std::optional<BatchAhead> ahead_;  // where loading takes long
};

}  // namespace nnrun::core
