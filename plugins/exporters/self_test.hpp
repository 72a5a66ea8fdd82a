// A program around exported assembly, which runs its golden vectors.
#pragma once

#include "assembly.hpp"
#include "net.hpp"

#include <string>

namespace nnrun::exporters {

// For Venus: `main`. For GNU as: `_start`, for a machine without an operating system, with RAM at 0x80000000, as qemu's `virt` is: prints
// by its serial port, and ends by its test device. Prints how many vectors came out right; the exit code is 0 where all did.
std::string self_test_assembly(const Net& net, const std::string& name, Dialect dialect);

// Where everything lies on qemu's `virt`.
std::string linker_script();

}  // namespace nnrun::exporters
