// Kernels in a worker process under qemu's user mode: RV32 or RV64 with vectors of a chosen length.
#pragma once

#include "elf_file.hpp"
#include "guest.hpp"

#include <sys/types.h>
#include <optional>

namespace nnrun_riscv {

class QemuGuest final : public Guest {
 public:
  // `file` is the worker with the kernels (see vector/worker.S), `elf` what is in it; both outlive the guest. `vector_bits`: 128 to 1024.
  // Throws nnrun::Error where qemu is missing.
  // `counter`: the path of the translator's plugin (engine/count_plugin.c) where instructions are to be counted, or "".
  QemuGuest(std::span<const unsigned char> file, const ElfFile& elf, unsigned vector_bits, std::string counter = "");
  ~QemuGuest() override;
  QemuGuest(const QemuGuest&) = delete;
  QemuGuest& operator=(const QemuGuest&) = delete;

  GuestMemory& memory() override { return *memory_; }
  unsigned register_bytes() const override { return elf_.bits / 8; }
  // There is no budget of instructions here, but a time limit of a minute. A fault ends the worker; the next call starts another.
  std::uint64_t call(const std::string& function, std::span<const std::uint64_t> arguments, std::uint64_t budget) override;

  // Ends the worker, and says how often each instruction ran: a number for every two bytes from 0x10000 on. Once, where there is a counter.
  std::vector<std::uint64_t> finish();

 private:
  void start();
  void stop();
  [[noreturn]] void fail(const std::string& function);

  std::span<const unsigned char> file_;
  const ElfFile& elf_;
  unsigned vector_bits_;
  std::string counter_, counts_;  // where the plugin is, and what it writes to
  int shared_ = -1, program_ = -1;
  int to_ = -1, from_ = -1;
  pid_t worker_ = -1;
  unsigned char* host_ = nullptr;
  std::optional<GuestMemory> memory_;
};

}  // namespace nnrun_riscv
