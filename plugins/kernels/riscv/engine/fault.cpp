#include "fault.hpp"

#include <cinttypes>
#include <cstdio>

namespace nnrun_riscv {

namespace {

constexpr const char* register_names[32] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                            "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                            "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

}  // namespace

std::string hexadecimal(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIx64, value);
  return text;
}

std::string fault_text(const ElfFile& elf, const std::string& what, const std::string& where, std::uint64_t pc,
                       std::span<const std::uint64_t, 32> registers) {
  std::string text = "RISC-V: " + what + ", " + where + hexadecimal(pc);
  if (const Function* function = function_at(elf, pc)) text += " (" + function->name + "+" + hexadecimal(pc - function->address) + ")";
  text += ";";
  for (std::size_t i = 1; i < registers.size(); ++i) text += std::string(" ") + register_names[i] + "=" + hexadecimal(registers[i]);
  return text;
}

}  // namespace nnrun_riscv
