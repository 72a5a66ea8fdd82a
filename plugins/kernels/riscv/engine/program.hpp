// Runs a whole RV32 program in this process, with the few system calls that programs like `classify` make.
#pragma once

#include "elf_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nnrun_riscv {

enum class Dialect {
  linux,       // a7 = 56 openat, 63 read, 64 write, 57 close, 46 ftruncate64, 214 brk, 93 exit
  linux_open,  // the same with 1024 open instead of openat
  venus        // a0 = 13 open, 14 read, 15 write, 16 close, 9 sbrk, 11 print a character, 17 exit
};

struct ProgramResult {
  int exit_code = 0;
  std::string output;  // what it wrote to its standard output
  std::uint64_t instructions = 0;
};

// Files are those of this machine, with this process's rights. Throws nnrun::Error at a fault and past the budget.
ProgramResult run_program(const ElfFile& elf, const std::vector<std::string>& arguments, Dialect dialect, std::uint64_t budget);

}  // namespace nnrun_riscv
