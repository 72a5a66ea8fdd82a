// Runs a component through what the border asks of it, without knowing what it computes: parameters, memory, gradients, threads.
// `nnrun check-plugin` and the tests of the built-in components are its callers.
#pragma once

#include "plugins/registry.hpp"

#include <nnrun/nnrun.h>

#include <functional>
#include <string>
#include <vector>

namespace nnrun::core {

struct CheckResult {
  enum class Outcome {
    ok,
    failed,
    not_checked
  };
  std::string component;  // eg: "layer swish"
  std::string check;      // eg: "gradients"
  Outcome outcome;
  std::string detail;  // why it failed or was not checked; where it is ok, what was seen, or ""
};

struct CheckOptions {
  // A map as in a config, eg: "{units: 7}". What is required and not in it is chosen by type and range.
  std::string params;
  // Called before each check, so that a crash can be laid at its door.
  std::function<void(const std::string& component, const std::string& check)> starting;
};

// `registry` has the components that this one may name (initializers, schedules) and the kernels; with the scalar ones, kernels
// are compared with them. Never throws for what the component does; a component that crashes takes the process along.
std::vector<CheckResult> check_component(const nnrun_component& component, const Registry& registry, const CheckOptions& options = {});

bool passed(const std::vector<CheckResult>& results);

}  // namespace nnrun::core
