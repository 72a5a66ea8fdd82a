// The assembled kernels, built into this library.
#pragma once

#include "engine/elf_file.hpp"

#include <string_view>

namespace nnrun_riscv {

const ElfFile& rv32_kernels();
// What objdump says of them.
std::string_view rv32_listing();

// The worker for qemu with the vector kernels, for RV64 and RV32.
std::span<const unsigned char> rv64_vector_file();
const ElfFile& rv64_vector_kernels();
std::string_view rv64_vector_listing();
std::span<const unsigned char> rv32_vector_file();
const ElfFile& rv32_vector_kernels();

}  // namespace nnrun_riscv
