#include "launch.hpp"

#if defined(__riscv)
#include "../image.hpp"
#include "worker_guest.hpp"

#include <nnrun/plugin.hpp>
#endif

namespace nnrun_riscv {

Launch launch_for(const Host& host, unsigned program_bits, unsigned vector_bits, bool counting) {
  Launch launch{false, vector_bits, ""};
  if (host.bits == 0) return launch;
  if (host.bits != program_bits) {
    launch.why_qemu = "this machine is one of " + std::to_string(host.bits) + " bits, and they are for " + std::to_string(program_bits);
  } else if (host.vector_bits == 0) {
    launch.why_qemu = "this machine has no vectors for them (" + host.lacking + ")";
  } else if (host.vector_bits != vector_bits) {
    launch.why_qemu = "this machine's vectors have " + std::to_string(host.vector_bits) + " bits";
  } else if (counting) {
    launch.why_qemu = "instructions are to be counted";
  } else {
    launch.directly = true;
  }
  return launch;
}

#if defined(__riscv)

const Host& this_host() {
  static const Host found = [] {
    Host host;
    host.bits = __riscv_xlen;
    const bool wide = host.bits == 64;
    try {
      // Asked of the processor, not of the kernel: what kernels say of vectors came late, and some mean an older, other instruction set by it.
      WorkerGuest guest(wide ? rv64_vector_file() : rv32_vector_file(), wide ? rv64_vector_kernels() : rv32_vector_kernels(),
                        Launch{true, 0, ""});
      host.vector_bits = static_cast<unsigned>(8 * guest.call("vector_bytes", {}, 0));
    } catch (const nnrun::Error& e) {
      const std::string what = e.what();
      host.lacking = what.substr(0, what.find(';'));  // without the registers
    }
    return host;
  }();
  return found;
}

#else

const Host& this_host() {
  static const Host another;
  return another;
}

#endif

}  // namespace nnrun_riscv
