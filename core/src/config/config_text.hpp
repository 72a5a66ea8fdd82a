// The text of a config, before a parser sees it.
#pragma once

#include <memory>
#include <string>

#include "config/diagnostic.hpp"

namespace nnrun::core {

using SourcePointer = std::shared_ptr<const Source>;

// A text without a byte-order mark and carriage returns at ends of lines.
SourcePointer make_source(std::string name, std::string text);
// A place in the file as a whole.
Location whole_file(const SourcePointer& source);
// Size, UTF-8, control characters. Throws DiagnosticError.
void check_bytes(const SourcePointer& source);
// Tabs, which YAML has no place for there. Throws DiagnosticError.
void check_indentation(const SourcePointer& source);

}  // namespace nnrun::core
