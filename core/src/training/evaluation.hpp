// Loss and metrics of a net over a subset of the data.
#pragma once

#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/data.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nnrun::core {

// The loss of a config, planned for a net's output.
class LossFunction {
 public:
  // `classes`, `targets`: of the data's labels; one of the two is 0.
  LossFunction(const ComponentSpec& spec, const HostServices& host, const nnrun_tensor& output, std::int64_t classes, std::int64_t targets);

  // Returns the sum of the samples' losses, added in order. `gradient` NULL: not wanted. Allocates nothing.
  double run(const nnrun_tensor& output, const nnrun_tensor& labels, const nnrun_tensor* gradient);
  // What it takes the net's outputs for: NNRUN_OUTPUTS_...
  std::uint32_t outputs() const { return instance_.vtable<nnrun_loss_vtable>().outputs; }
  // Of the samples of one batch: (N, classes).
  void probabilities(const nnrun_tensor& output, nnrun_tensor& probabilities);
  // The last run's, one a sample.
  const float* losses() const { return losses_.as<float>(); }

 private:
  Instance instance_;
  const HostServices& host_;
  Buffer losses_, scratch_;
};

struct Evaluation {
  std::int64_t samples = 0;
  double loss = 0;
  std::vector<std::pair<std::string, double>> metrics;  // in the config's order
  // The tables behind them.
  struct Table {
    std::string name;  // eg: "confusion_matrix"
    std::vector<double> numbers;
    std::int64_t rows, columns;
  };
  std::vector<Table> tables;  // one a name
};

// What a net says of each sample, in their order.
struct Predictions {
  std::int64_t columns = 0;           // classes, or targets
  std::vector<double> probabilities;  // (samples, columns)
  std::vector<double> labels;         // the class of each, or (samples, targets)
};

class Evaluator {
 public:
  Evaluator(const Environment& environment, Data& data, std::shared_ptr<Parameters> parameters);

  // `predictions`: NULL: not wanted.
  Evaluation run(const Data::Subset& subset, Predictions* predictions = nullptr);
  Network& network() { return network_; }

 private:
  const Settings& settings_;
  Data& data_;
  Network network_;
  LossFunction loss_;
  struct PlannedMetric {
    std::unique_ptr<Instance> instance;
    std::vector<double> sums;
    const nnrun_metric_vtable& table() const { return instance->vtable<nnrun_metric_vtable>(); }
  };
  void plan_metrics(const HostServices& host);
  void add_to(Predictions& predictions, std::int64_t batch);
  void add_to_metrics(const nnrun_tensor& labels);

  std::vector<PlannedMetric> metrics_;
  Buffer labels_;
};

// One sample's shape with a batch before it.
nnrun_tensor batch_of(const nnrun_tensor& sample, std::int64_t batch);
// The labels of a batch: s32 (N), or f32 (N, targets).
nnrun_tensor labels_of(const Data& data, std::int64_t batch, void* memory);
// What Data::mix() makes of them.
nnrun_tensor mixed_labels_of(const Data& data, std::int64_t batch, void* memory);
std::size_t label_bytes(const Data& data, std::int64_t batch);

}  // namespace nnrun::core
