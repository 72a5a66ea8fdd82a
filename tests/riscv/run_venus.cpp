// run_venus PROGRAM: runs a RV32 program with Venus' environment calls, prints what it prints, and ends with its exit code.
#include "engine/elf_file.hpp"
#include "engine/program.hpp"
#include "files.hpp"

#include <cstdio>
#include <iostream>

int main(int argc, char** argv) {
  try {
    if (argc != 2) return 64;
    const std::vector<unsigned char> file = read_file(argv[1]);
    const nnrun_riscv::ElfFile elf = nnrun_riscv::parse_elf(file);
    const auto result = nnrun_riscv::run_program(elf, {argv[1]}, nnrun_riscv::Dialect::venus, std::uint64_t{1} << 36);
    std::cout << result.output;
    return result.exit_code;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 65;
  }
}
