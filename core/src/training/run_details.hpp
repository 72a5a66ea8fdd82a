// What a report shows beyond figures: the test's predictions, the samples that the net was most wrong about, the first layer's
// weights, the layers' times. One event, `details`, behind `test`. Its fields, tables unless said otherwise:
//     version, threads (number), kernel (text, one a kernel), class_name (text, one a class)
//     probabilities (samples x classes), labels (samples x 1); of targets: (samples x targets), both
//     sample_shape (1 x rank), sample_bytes (number; 1 where samples are bytes, 0..255)
//     mistakes (some x 1): numbers of test samples, most confident first; mistake_samples (some x elements)
//     weights_name (text), weights_shape (1 x rank), weights (rows x the rest): of the first layer that has any; input_shape (1 x rank)
//     layer (text, one a layer), layer_seconds (layers x 2): forward and backward, the mean of a step
#pragma once

#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"
#include "training/observers.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nnrun::core {

// Times the layers on every 16th step: that costs a training nothing.
class LayerTimer {
 public:
  explicit LayerTimer(Network& network) : network_(network) {
    const std::size_t layers = network.plan().layers.size();
    times_.forward.resize(layers);
    times_.backward.resize(layers);
  }
  void before_step(std::int64_t step) {
    const bool measured = step % 16 == 8;
    network_.measure(measured ? &times_ : nullptr);
    steps_ += measured ? 1 : 0;
  }
  const LayerTimes& times() const { return times_; }
  std::int64_t steps() const { return steps_; }

 private:
  Network& network_;
  LayerTimes times_;
  std::int64_t steps_ = 0;
};

class RunDetails {
 public:
  // `tested`: the parameters that were, while they hold the weights that were. `steps`: over how many the times of `network` add up.
  RunDetails(const Environment& environment, const Data& data, const Network& network, const Parameters& tested, const LayerTimes& times,
             std::int64_t steps, Predictions predictions);

  void tell(Observers& observers) const;

 private:
  struct Table {
    const char* name;
    std::vector<double> numbers;
    std::int64_t columns;
  };
  void find_mistakes(const Data& data);
  void copy_weights(const Parameters& parameters);
  void add_shape(const char* name, const nnrun_tensor& tensor);

  std::vector<std::pair<const char*, std::string>> texts_;
  std::vector<std::pair<const char*, double>> numbers_;
  std::vector<Table> tables_;
  Predictions predictions_;
};

}  // namespace nnrun::core
