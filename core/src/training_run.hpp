// `nnrun CONFIG`: a config from the file to the verdict.
#pragma once

#include "deployment/quantization.hpp"
#include "plugins/environment.hpp"
#include "training/trainer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace nnrun::core {

struct TrainingRunOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::filesystem::path> plugin_folders;
  std::string data;                   // --data
  std::optional<std::string> resume;  // "": the latest run
  QuantizationDone quantized;         // told of each net that the config's `quantize` made of the trained one; may be empty
};

// Throws DiagnosticError (exit code 2) or RunError (1).
TrainingResult train_config(const TrainingRunOptions& options);

}  // namespace nnrun::core
