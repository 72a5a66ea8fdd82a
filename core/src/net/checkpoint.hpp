// What a run is, at the end of a step: enough to go on to the same bits, or to predict.
#pragma once

#include "net/parameters.hpp"
#include "net/safetensors.hpp"

#include <nnrun/nnrun.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nnrun::core {

// Counters and sums of a run in progress.
struct TrainingState {
  std::int64_t step = 0;   // steps done, over the whole run
  std::int64_t epoch = 0;  // epochs done
  double loss_sum = 0;     // of this epoch's samples so far
  std::int64_t samples = 0;
  double seconds = 0;  // of training, in all
  double epoch_seconds = 0;
  bool has_best = false;
  double best_score = 0;  // of the best epoch so far: higher is better
  std::int64_t best_epoch = 0;
  double stopping_score = 0;  // the best so far of what early stopping watches: higher is better
  std::int64_t epochs_without_improvement = 0;
  bool stopped_early = false;
  bool finished = false;
  std::map<std::string, std::int64_t> observer_positions;  // by the observers' names
};

// What `predict` needs beside the weights.
struct ModelDescription {
  std::string config;     // resolved YAML
  nnrun_tensor sample{};  // before the transforms
  std::int64_t classes = 0, targets = 0;
  std::vector<std::string> class_names;
  bool drawn = false;
  std::vector<std::string> kernels;  // those that trained it, eg: "gemm_f32 (avx512)"
};

// `average`: what is tested instead of the weights themselves, or NULL. It goes under the tensors' plain names then, and the weights
// under "training.NAME".
void write_checkpoint(const std::filesystem::path& file, const Parameters& parameters, const ModelDescription& description,
                      const TrainingState& state, bool with_optimizer, const Parameters* average = nullptr);

class Checkpoint {
 public:
  // Throws RunError.
  explicit Checkpoint(const std::filesystem::path& file);

  const ModelDescription& description() const { return description_; }
  const TrainingState& state() const { return state_; }
  const std::filesystem::path& path() const { return file_.path(); }
  // Weights and states; optimizer states too where `parameters` has them. Throws RunError where a tensor is missing or has
  // another shape.
  void restore(Parameters& parameters, bool with_optimizer, const Parameters* average = nullptr) const;

 private:
  SafetensorsFile file_;
  ModelDescription description_;
  TrainingState state_;
};

}  // namespace nnrun::core
