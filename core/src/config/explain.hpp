// Help texts, from the same tables that the config is checked against.
#pragma once

#include <string>
#include <string_view>

#include <nnrun/nnrun.h>

#include "config/component_lookup.hpp"

namespace nnrun::core {

// A component or section: what it does, and a line for each parameter.
std::string explain_component(const nnrun_component& component);
// Everything there is: the sections of a config, and the components by kind.
std::string explain_all(const ComponentLookup& lookup);
// What a user asks for: "" (all), a section ("train"), a key ("train.batch"), a kind ("layer", "layers"), a component ("conv2d",
// where several kinds have it "metric/accuracy", or "vendor/conv2d"). Throws DiagnosticError, with a suggestion, where there is
// no such thing.
std::string explain(std::string_view topic, const ComponentLookup& lookup);

}  // namespace nnrun::core
