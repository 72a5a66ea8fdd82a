// A checkpoint that answers: preprocessing, net and probabilities, from the checkpoint alone.
#pragma once

#include "net/checkpoint.hpp"
#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nnrun::core {

class Predictor {
 public:
  // Throws RunError where the checkpoint is damaged, DiagnosticError where its config cannot be used here.
  Predictor(const std::filesystem::path& checkpoint, const EnvironmentOptions& options, const std::vector<std::string>& overrides = {});

  const Environment& environment() const { return *environment_; }
  const ModelDescription& description() const { return checkpoint_.description(); }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  const std::shared_ptr<Parameters>& parameters() const { return network_->parameters(); }
  // "3", or the class's name.
  std::string class_name(std::size_t index) const;

  // One file as the dataset's kind reads it, eg: a picture. `index`: which sample of a file that holds several.
  std::vector<float> predict_file(const std::string& file, std::int64_t index = 0);
  // One sample after the transforms (what the net takes), row-major.
  std::vector<float> predict(std::span<const float> sample);
  std::int64_t input_count() const;

 private:
  std::vector<float> run();

  Checkpoint checkpoint_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<Transforms> transforms_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<LossFunction> loss_;
  std::unique_ptr<Instance> source_;
  Buffer raw_, scratch_;
};

}  // namespace nnrun::core
