// A net as RISC-V assembly: nnrun's own kernels, called one after the other.
#pragma once

#include "net.hpp"

#include <string>

namespace nnrun::exporters {

// GNU as, or Venus, which knows fewer directives.
enum class Dialect {
  gnu,
  venus
};

// int NAME_run(input, output): the functions that the net needs, itself, and its data. Throws Error for nets of floats.
std::string assembly_of(const Net& net, const std::string& name, Dialect dialect);

// Golden vectors as data: NAME_golden_inputs, NAME_golden_outputs.
std::string golden_assembly(const Net& net, const std::string& name, Dialect dialect);

// A label and its words.
void words(std::string& text, const std::string& label, const void* data, std::size_t bytes);

// How the sections are called where constants, and memory that is written, go.
const char* constant_section(Dialect dialect);
const char* variable_section(Dialect dialect);

}  // namespace nnrun::exporters
