// Workers under qemu, whatever machine runs the tests.
#pragma once

#include "engine/launch.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace nnrun_riscv {

inline bool have_qemu() {
  if (std::system("qemu-riscv64 --version > /dev/null 2>&1") == 0) return true;
  WARN("qemu-riscv64 is missing (Debian: qemu-user): nothing to test");
  return false;
}

inline Launch by_qemu(unsigned vector_bits) { return launch_for(Host{}, 64, vector_bits, false); }

}  // namespace nnrun_riscv
