// What goes into a net for a look inside: its first training samples, a file, or numbers made up.
#pragma once

#include "arrays.hpp"
#include "commands.hpp"
#include "net/checkpoint.hpp"
#include "training/data.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::tool {

// A config, or a checkpoint with the config inside; with the options' overrides and plugins.
class Subject {
 public:
  explicit Subject(const Options& options);

  // `more`: overrides behind the user's.
  std::unique_ptr<core::Environment> environment(const std::vector<std::string>& more = {}) const;
  const std::optional<core::Checkpoint>& checkpoint() const { return checkpoint_; }

 private:
  const Options& options_;
  std::optional<core::Checkpoint> checkpoint_;
};

struct NetInput {
  nnrun_tensor sample{};  // f32, as the net takes it, without the batch
  std::int64_t batch = 1;
  std::vector<float> values;
  std::int64_t classes = 0, targets = 0;
  std::vector<std::byte> labels;  // as labels_of() has them; empty: unknown
  std::string text;               // eg: "training sample 0"

  // Labels that belong to the loss; NULL data where there are none.
  nnrun_tensor label_tensor();
};

// By options.input: "" (training samples from options.index on, options.batch of them), ones, ramp (k / count within each sample), a
// .npy file, or a file that the dataset reads, prepared as in prediction. `given`: the input of an .npz file, used where
// options.input is "". Throws RunError.
NetInput make_net_input(const Options& options, const Subject& subject, const core::Environment& environment, const Array* given);

}  // namespace nnrun::tool
