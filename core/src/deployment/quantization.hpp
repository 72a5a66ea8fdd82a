// From a trained float net to one of integers: asks a quantizer for its layers, makes a checkpoint of them, and compares both on the whole
// test set. The new net is a net like any other: eval, predict and the rest take its checkpoint.
#pragma once

#include "deployment/predictor.hpp"
#include "plugins/environment.hpp"
#include "training/evaluation.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::core {

// A test sample that both nets put into different classes.
struct ChangedPrediction {
  std::int64_t sample = 0;
  std::int64_t label = 0, before = 0, after = 0;  // classes
  double margin = 0;                              // by how much the float net's output for `before` is above that for `after`
};

struct Quantization {
  std::string scheme;                // as written, eg: "int8"
  std::filesystem::path checkpoint;  // what was written
  Evaluation before, after;
  std::vector<std::string> notes;  // the quantizer's
  // Proved: two of the float net's outputs are further apart than this, or the same one is larger in both nets.
  std::optional<double> margin_bound;
  std::vector<ChangedPrediction> changed;
};

// `scheme`: a component of kind quantizer. Writes `checkpoint`. Throws DiagnosticError at the scheme's place where it refuses the net.
Quantization quantize(const Predictor& model, Data& data, const EnvironmentOptions& options, const ComponentSpec& scheme,
                      const std::filesystem::path& checkpoint);

using QuantizationDone = std::function<void(const Quantization&)>;

// All of a config's `quantize`, or those in `schemes` (as in a config) where there are some: one checkpoint each, beside the model. Also
// writes quantization.json there. Where a scheme refuses the net, the others still get their turn: all refusals are thrown at the end.
void quantize_all(const std::filesystem::path& model, const EnvironmentOptions& options, const std::string& data,
                  const std::vector<std::string>& schemes, const QuantizationDone& done);

// Lines for a user.
std::string describe(const Quantization& quantization);

}  // namespace nnrun::core
