// A JSON Schema of config files, for editors that complete and check while one types.
#pragma once

#include <string>

#include "config/component_lookup.hpp"

namespace nnrun::core {

// Draft 2020-12, with all components that are loaded. What depends on several keys at once is left to nnrun itself.
std::string json_schema(const ComponentLookup& lookup);

}  // namespace nnrun::core
