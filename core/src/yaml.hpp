// YAML to located trees, strictly: what yaml-cpp lets through (duplicate keys, aliases, further documents) is refused here.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "node.hpp"

namespace nnrun::core {

using SourcePointer = std::shared_ptr<const Source>;

// A text without a byte-order mark and carriage returns at ends of lines.
SourcePointer make_source(std::string name, std::string text);
// A place in the file as a whole.
Location whole_file(const SourcePointer& source);
// Size, UTF-8, control characters. Throws DiagnosticError.
void check_bytes(const SourcePointer& source);

// One document. Throws DiagnosticError, with all errors that can be found at once.
Node parse_yaml(const SourcePointer& source);
Node parse_yaml(std::string name, std::string text);
// A value of any kind that begins at a byte of a text and goes on to its end.
Node parse_document(const SourcePointer& source, std::size_t offset);

}  // namespace nnrun::core
