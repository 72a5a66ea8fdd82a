#include "training/start_from.hpp"

#include "base/error.hpp"
#include "net/safetensors.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace nnrun::core {

namespace {

// "1.dense" of "1.dense.weights"
std::string layer_of(const Slot& slot) { return slot.name.substr(0, slot.name.rfind('.')); }

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class Taking {
 public:
  Taking(const StartFrom& settings, const SafetensorsFile& file) : settings_(settings), file_(file) {}

  void take(const Slot& slot, float* to) {
    const auto wanted = std::find(settings_.layers.begin(), settings_.layers.end(), layer_of(slot));
    if (!settings_.layers.empty() && wanted == settings_.layers.end()) return left_.push_back(slot.name);
    const NamedTensor* tensor = file_.find(slot.name);
    const Location& where =
        settings_.layers.empty() ? settings_.where : settings_.layer_locations[static_cast<std::size_t>(wanted - settings_.layers.begin())];
    if (tensor == nullptr && settings_.layers.empty()) return left_.push_back(slot.name);
    if (tensor == nullptr) throw DiagnosticError(where, settings_.checkpoint + " has no tensor '" + slot.name + "'");
    if (tensor->dtype != slot.dtype)
      throw DiagnosticError(where, settings_.checkpoint + " has '" + slot.name + "' in another type of numbers than the net's");
    if (tensor->shape != slot.shape) {
      throw DiagnosticError(where,
                            settings_.checkpoint + " has '" + slot.name + "' with the shape " + to_string(tensor->shape) +
                                ", the net needs " + to_string(slot.shape),
                            settings_.layers.empty() ? "give that layer another name, or list in `layers` what to take" : "");
    }
    std::memcpy(to, tensor->data, tensor->bytes());
    ++taken_;
  }

  std::string summary() const {
    if (taken_ == 0) {
      throw DiagnosticError(settings_.where, settings_.checkpoint + " has no tensor by any name of this net's, eg '" + left_.front() +
                                                 "': names are those of the layers, or their places in the list");
    }
    return "started from " + settings_.checkpoint + ": " + std::to_string(taken_) + " tensors taken" +
           (left_.empty() ? "" : "; not taken: " + joined(left_));
  }

 private:
  const StartFrom& settings_;
  const SafetensorsFile& file_;
  std::size_t taken_ = 0;
  std::vector<std::string> left_;
};

void require_layers(const StartFrom& settings, const Parameters& parameters) {
  std::vector<std::string> known;
  for (const auto* slots : {&parameters.weight_slots(), &parameters.state_slots()}) {
    for (const Slot& slot : *slots) known.push_back(layer_of(slot));
  }
  for (std::size_t i = 0; i < settings.layers.size(); ++i) {
    if (std::find(known.begin(), known.end(), settings.layers[i]) != known.end()) continue;
    throw DiagnosticError(settings.layer_locations[i], "no layer with weights has the name " + quote(settings.layers[i]),
                          did_you_mean(settings.layers[i], known));
  }
}

}  // namespace

std::string start_from(const StartFrom& settings, Parameters& parameters) {
  if (settings.checkpoint.empty()) return {};
  require_layers(settings, parameters);
  try {
    const SafetensorsFile file(settings.checkpoint);
    Taking taking(settings, file);
    for (std::size_t i = 0; i < parameters.weight_slots().size(); ++i) taking.take(parameters.weight_slots()[i], parameters.weight(i));
    for (std::size_t i = 0; i < parameters.state_slots().size(); ++i) taking.take(parameters.state_slots()[i], parameters.state(i));
    return taking.summary();
  } catch (const RunError& e) {
    throw DiagnosticError(settings.where, e.what());
  }
}

}  // namespace nnrun::core
