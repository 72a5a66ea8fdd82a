// The components to test, as the registry finds them.
#pragma once

#include "helpers.hpp"
#include "plugins/registry.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace nnrun::test {

inline const core::Registry& registry() {
  // Plugins are never unloaded, so one registry serves all.
  static const core::Registry* all = [] {
    auto* made = new core::Registry;
    made->load_folder(NNRUN_PLUGIN_DIR);
    return made;
  }();
  return *all;
}

// In a config: "name", or "{name: {parameters}}". References are filled with the layer "other", which nets for tests have. Other
// required parameters come from `parameters`; throws where that lacks a component: whoever adds one adds a line to its table.
inline std::string config_of(const nnrun_component& component, const std::map<std::string, std::string>& parameters) {
  std::string text;
  const auto given = parameters.find(component.name);
  if (given != parameters.end()) text = given->second;
  bool lacking = false;
  for (std::size_t i = 0; i < component.param_count; ++i) {
    const nnrun_param& param = core::param_at(component, i);
    if ((param.flags & NNRUN_PARAM_REQUIRED) == 0) continue;
    if (param.type == NNRUN_REFERENCE) {
      text += (text.empty() ? "" : ", ") + std::string(param.name) + ": other";
    } else if (given == parameters.end()) {
      lacking = true;
    }
  }
  if (lacking) {
    throw std::runtime_error(std::string(component.kind) + " '" + component.name +
                             "' has required parameters: add a line for it to the table of this test");
  }
  return text.empty() ? std::string(component.name) : "{" + std::string(component.name) + ": {" + text + "}}";
}

inline std::vector<std::string> kernel_tables() {
  std::vector<std::string> tables = registry().names("kernels");
  std::erase_if(tables, [](const std::string& name) { return name.find('/') != std::string::npos; });
  return tables;
}

inline std::string yaml_of(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// A shape of one sample, small; every second one is a picture.
inline std::vector<std::int64_t> random_shape(std::mt19937& random, int round) {
  const auto below = [&](unsigned bound) { return static_cast<std::int64_t>(random() % bound); };
  if (round % 2 == 0) return {1 + below(24)};
  return {1 + below(7), 1 + below(7), 1 + below(4)};
}

// Numbers at least `gap` apart and at least half of that from 0, in random order: a step smaller than half of the gap meets no kink
// of relu, maximum or absolute value.
inline std::vector<float> spread_numbers(std::size_t count, std::mt19937& random, float gap) {
  std::vector<float> numbers(count);
  const auto half = static_cast<float>(count / 2);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = (static_cast<float>(i) - half + 0.5f) * gap;
  std::shuffle(numbers.begin(), numbers.end(), random);
  return numbers;
}

}  // namespace nnrun::test
