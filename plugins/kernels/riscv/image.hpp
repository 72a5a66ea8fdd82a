// The assembled kernels, built into this library.
#pragma once

#include "engine/elf_file.hpp"

#include <string_view>

namespace nnrun_riscv {

const ElfFile& rv32_kernels();
// What objdump says of them.
std::string_view rv32_listing();

}  // namespace nnrun_riscv
