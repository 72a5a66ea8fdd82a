// The disassembly of a program, as objdump prints it.
#pragma once

#include <nnrun/nnrun.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nnrun_riscv {

struct ListedInstruction {
  std::uint64_t address = 0;
  std::uint64_t target = 0;  // of branches and direct jumps; 0 otherwise
  nnrun_instruction_kind kind = NNRUN_INSTRUCTION_ARITHMETIC;
  std::string text;  // eg: "bne s4,s5,10098 <matmul_q16_block_loop>"
};

// In order of address.
std::vector<ListedInstruction> parse_listing(std::string_view listing);

nnrun_instruction_kind kind_of_mnemonic(std::string_view mnemonic);

}  // namespace nnrun_riscv
