// Is a file a whole shared library of this machine? The dynamic linker maps what the headers promise, and a truncated file is
// a bus error there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace nnrun::core {

// "" where it may be opened; otherwise why not, eg: "not a shared library (no ELF header)".
std::string why_not_loadable(const std::filesystem::path& file);

// How many functions run when the library is loaded (.init_array); the compiler's own startup files bring one. 0 where the file
// has no section headers.
std::size_t count_constructors(const std::filesystem::path& file);

}  // namespace nnrun::core
