// Opens one plugin's shared library, or says why not. Knows no kind of component.
#pragma once

#include <nnrun/nnrun.h>

#include <filesystem>
#include <stdexcept>

namespace nnrun::core {

// Why a library was not taken. The message does not repeat the file's name.
class LibraryError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The plugin in `file`. The library stays loaded until the process ends: threads may be inside it, and pointers to its strings
// are everywhere. Throws LibraryError.
const nnrun_plugin& open_library(const std::filesystem::path& file);

}  // namespace nnrun::core
