// Who executes a worker: this machine, where it is a RISC-V one with the vectors that are asked for, or qemu.
#pragma once

#include <string>

namespace nnrun_riscv {

// What this process runs on.
struct Host {
  unsigned bits = 0;         // of the RISC-V processor; 0: another kind of machine
  unsigned vector_bits = 0;  // 0: no vectors that a worker could use
  std::string lacking;       // why, where there are none
};

struct Launch {
  bool directly = false;  // else by qemu
  unsigned vector_bits = 0;
  std::string why_qemu;  // on a RISC-V machine: why not directly
};

// For a worker of `program_bits`, 32 or 64, with vectors of `vector_bits`. Only qemu can count instructions.
Launch launch_for(const Host& host, unsigned program_bits, unsigned vector_bits, bool counting);

// Found once, by executing a worker and asking it.
const Host& this_host();

}  // namespace nnrun_riscv
