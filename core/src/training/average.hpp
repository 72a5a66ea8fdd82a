// A moving average of weights and layer states, which is what gets validated, tested and kept.
#pragma once

#include "net/parameters.hpp"
#include "plugins/host.hpp"

#include <cstdint>
#include <memory>

namespace nnrun::core {

// Polyak and Juditsky 1992, with exponential weights: average += (1 - d) * (weights - average) behind each step. d rises with the steps
// as (1 + step) / (10 + step) up to `decay`, so that the first, random weights are soon forgotten.
class WeightAverage {
 public:
  // Starts as a copy of `weights`, which must outlive it.
  WeightAverage(const Parameters& weights, double decay, const HostServices& host);

  // `step`: of the run, from 0.
  void update(std::int64_t step);
  // From the weights as they are now.
  void restart();
  const std::shared_ptr<Parameters>& parameters() const { return average_; }

 private:
  const Parameters& weights_;
  const double decay_;
  const HostServices& host_;
  std::shared_ptr<Parameters> average_;
};

}  // namespace nnrun::core
