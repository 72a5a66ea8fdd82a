// Config files and overrides become one tree.
#pragma once

#include <vector>

#include "config/component_lookup.hpp"
#include "config/config.hpp"
#include "config/diagnostic.hpp"

namespace nnrun::core {

// Maps merge by key; a component merges only with one of the same name and otherwise replaces the old one; lists are
// replaced whole. Overrides follow from left to right. Those that fit nowhere are added to `errors` and left out.
Node merge(const Config& config, const ComponentLookup& lookup, std::vector<Diagnostic>& errors);

}  // namespace nnrun::core
