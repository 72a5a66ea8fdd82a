// What an exported net takes on RV32, measured on the program itself.
#pragma once

#include "net.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace nnrun::exporters {

struct Sections {
  std::int64_t code = 0, constants = 0, variables = 0;  // bytes
};

// Of an object or a program, by the tool `size`.
Sections sections_of(const std::string& size_tool, const std::string& file);

struct Inference {
  std::uint64_t least_instructions = 0, most_instructions = 0;  // over the golden vectors
  std::size_t stack = 0;                                        // bytes, the most of all
};

// Runs NAME_run of a linked program on all golden vectors, in the RISC-V engine. Throws Error where an output differs. Nothing: this nnrun
// was built without the engine.
std::optional<Inference> run_inference(const std::string& elf, const Net& net, const std::string& name);

// "1,234 instructions an inference", or the range.
std::string instructions_text(const Inference& inference);

// An assembly program for RV32IM. Throws Error where as or ld refuse it.
std::string linked(const std::string& assembly, const std::string& script);

// C for RV32IMAC.
struct CompiledC {
  std::string elf;
  Sections sections;      // of the net alone
  std::size_t stack = 0;  // the deepest chain of calls, as the compiler says
};
CompiledC compiled(const std::string& header, const std::string& source, const std::string& name, const std::string& optimisation);

}  // namespace nnrun::exporters
