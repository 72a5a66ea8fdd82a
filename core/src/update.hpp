// The optimizer as a taker of gradients: steps over slices while they are in the cache.
#pragma once

#include "network.hpp"

#include <nnrun/nnrun.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace nnrun::core {

class Updater : public GradientSink {
 public:
  // Gives `parameters` the memory that the optimizer wants. Throws DiagnosticError.
  Updater(const ComponentSpec& optimizer, const HostServices& host, Parameters& parameters);

  // Before backward. Returns the learning rate.
  double begin(const nnrun_progress& progress);
  void slice_ready(std::size_t slot, std::int64_t begin, std::int64_t end) override;
  void layer_done(std::size_t first_slot, std::size_t slot_count) override;

  // The first weight whose gradient was not finite in this step.
  std::optional<std::size_t> not_finite() const;

 private:
  void step(std::size_t slot, std::int64_t begin, std::int64_t end);

  Instance instance_;
  const nnrun_optimizer_vtable& table_;
  const HostServices& host_;
  Parameters& parameters_;
  double rate_ = 0;
  std::int64_t step_ = 0;
  std::vector<std::atomic<std::int64_t>> stepped_;  // elements, of each slot
  std::vector<std::atomic<bool>> not_finite_;
};

}  // namespace nnrun::core
