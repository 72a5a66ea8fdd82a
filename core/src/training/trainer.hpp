// Runs a config: trains, validates, tests, and leaves checkpoints; resumes to the same bits.
#pragma once

#include "net/checkpoint.hpp"
#include "plugins/environment.hpp"
#include "training/average.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"
#include "training/observers.hpp"
#include "training/run_details.hpp"
#include "training/run_folder.hpp"
#include "training/training_step.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::core {

struct TrainingResult {
  int signal = 0;  // SIGINT or SIGTERM stopped it; 0: finished
  Evaluation test;
  std::string weights_sha256;
  bool best_weights = false;
  std::filesystem::path folder;
};

class Trainer {
 public:
  // `resume`: the checkpoint to go on from. Throws RunError where its config differs in more than how it is run.
  // The folder is asked for last: what is wrong with the data leaves no empty run behind.
  Trainer(const Environment& environment, const DataRoot& root, const std::function<RunFolder()>& make_folder,
          std::optional<Checkpoint> resume);

  TrainingResult run();
  // What is validated, tested and kept: the weights, or their average.
  const std::shared_ptr<Parameters>& tested() const { return average_ ? average_->parameters() : step_.parameters(); }

 private:
  using Clock = std::chrono::steady_clock;

  void tell_start();
  // False where a signal stopped it.
  bool train_epoch();
  void finish_epoch(double learning_rate);
  void keep_best(const Evaluation& validation);
  // Whether training ends here: counts the epochs without improvement.
  void stop_early(const Evaluation& validation);
  bool has_more_epochs() const { return state_.epoch < settings_.train.epochs && !state_.stopped_early; }
  void save();
  TrainingResult test();
  TrainingResult interrupted();

  // Samples of a step: train.batch times train.accumulate.
  std::int64_t step_samples() const { return settings_.train.batch * settings_.train.accumulate; }
  std::int64_t steps_per_epoch() const;
  nnrun_progress progress() const;
  double seconds_left() const;

  const Environment& environment_;
  const Settings& settings_;
  Data data_;
  TrainingStep step_;
  LayerTimer timer_;
  std::string start_note_;  // what was taken from another checkpoint
  std::optional<WeightAverage> average_;
  Evaluator evaluator_;
  RunFolder folder_;
  ModelDescription description_;
  TrainingState state_;
  bool resumed_;
  Observers observers_;
  std::vector<std::uint32_t> order_;
  Clock::time_point started_, last_save_;
  std::int64_t first_step_ = 0;
};

// Paths in which the configs differ and which change the result; more epochs do not count.
std::vector<std::string> differences_that_matter(const Settings& before, const Settings& now);

// What a checkpoint needs to say of the data.
ModelDescription describe_model(const Settings& settings, const Data& data, const HostServices& host);

}  // namespace nnrun::core
