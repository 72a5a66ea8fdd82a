// Weights and layer states from another run's checkpoint, by name.
#pragma once

#include "config/settings.hpp"
#include "net/parameters.hpp"

#include <string>

namespace nnrun::core {

// Overwrites what the file has and `settings` asks for. Returns what was taken and what not, in words; "" where nothing is asked for.
// Throws DiagnosticError where a layer is unknown, or a tensor is missing or of another shape.
std::string start_from(const StartFrom& settings, Parameters& parameters);

}  // namespace nnrun::core
