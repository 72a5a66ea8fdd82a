// A linked RISC-V program: what is to be loaded where, and which functions it has.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nnrun_riscv {

struct Segment {
  std::uint64_t address = 0;
  std::uint64_t size = 0;                // in memory; what `bytes` does not cover is zero
  std::span<const unsigned char> bytes;  // points into the file
  bool writable = false, executable = false;
};

struct Function {
  std::string name;
  std::uint64_t address = 0, size = 0;
};

struct ElfFile {
  unsigned bits = 0;  // 32 or 64
  std::uint64_t entry = 0;
  std::uint64_t code_address = 0;       // of its first section with instructions
  std::span<const unsigned char> code;  // that section
  std::vector<Segment> segments;        // in order of address
  std::vector<Function> functions;      // in order of address
};

// `file` must outlive the result. Throws nnrun::Error where it is no RISC-V executable, or damaged.
ElfFile parse_elf(std::span<const unsigned char> file);

// NULL: there is none.
const Function* find_function(const ElfFile& elf, std::string_view name);
const Function* function_at(const ElfFile& elf, std::uint64_t address);

}  // namespace nnrun_riscv
