// YAML to located trees, strictly: what yaml-cpp lets through (duplicate keys, aliases, further documents) is refused here.
#pragma once

#include <cstddef>
#include <string>

#include "config/config_text.hpp"
#include "config/node.hpp"

namespace nnrun::core {

// One document. Throws DiagnosticError, with all errors that can be found at once.
Node parse_yaml(const SourcePointer& source);
Node parse_yaml(std::string name, std::string text);
// A value of any kind that begins at a byte of a text and goes on to its end.
Node parse_document(const SourcePointer& source, std::size_t offset);

}  // namespace nnrun::core
