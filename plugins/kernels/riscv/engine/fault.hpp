// What the user reads of a fault in a kernel.
#pragma once

#include "elf_file.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace nnrun_riscv {

std::string hexadecimal(std::uint64_t value);

// "RISC-V: WHAT, WHERE 0x20010 (relu_s32+0x4); ra=0x20000 sp=...": `where` is "at pc " or the like; `registers` are x0 to x31.
std::string fault_text(const ElfFile& elf, const std::string& what, const std::string& where, std::uint64_t pc,
                       std::span<const std::uint64_t, 32> registers);

}  // namespace nnrun_riscv
