// Kernels in a worker process, RV32 or RV64 with vectors, executed by this machine or by qemu's user mode.
#pragma once

#include "elf_file.hpp"
#include "guest.hpp"
#include "launch.hpp"

#include <sys/types.h>

namespace nnrun_riscv {

class WorkerGuest final : public Guest {
 public:
  // `file` is the worker with the kernels (see vector/worker.S), `elf` what is in it; both outlive the guest. The first call starts it,
  // and throws nnrun::Error where qemu is needed and missing.
  // `counter`: the path of the translator's plugin (engine/count_plugin.c) where instructions are to be counted, or "".
  WorkerGuest(std::span<const unsigned char> file, const ElfFile& elf, Launch launch, std::string counter = "");
  ~WorkerGuest() override;

  GuestMemory& memory() override { return memory_; }
  unsigned register_bytes() const override { return elf_.bits / 8; }
  // There is no budget of instructions here, but a time limit of a minute. A fault ends the worker; the next call starts another.
  std::uint64_t call(const std::string& function, std::span<const std::uint64_t> arguments, std::uint64_t budget) override;

  // Ends the worker, and says how often each instruction ran: a number for every two bytes of code. Once, where there is a counter.
  std::vector<std::uint64_t> finish();

 private:
  void start();
  void stop();
  void receive(const std::string& function, void* to, std::size_t bytes);
  [[noreturn]] void fail(const std::string& function);

  class OpenFile {
   public:
    explicit OpenFile(int file) : file_(file) {}
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    operator int() const { return file_; }

   private:
    int file_;
  };
  class SharedMemory {
   public:
    explicit SharedMemory(int file);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    unsigned char* data() const { return data_; }

   private:
    unsigned char* data_;
  };

  const ElfFile& elf_;
  Launch launch_;
  std::string counter_, counts_;  // where the plugin is, and what it writes to
  OpenFile shared_, program_;
  SharedMemory mapped_;
  GuestMemory memory_;
  int to_ = -1, from_ = -1;
  pid_t worker_ = -1;
};

}  // namespace nnrun_riscv
