// Kernels on the engine in the process: RV32IM.
#pragma once

#include "guest.hpp"
#include "unicorn_machine.hpp"

namespace nnrun_riscv {

class UnicornGuest final : public Guest {
 public:
  // `elf` has the kernels and a function `kernel_end` that they return to.
  explicit UnicornGuest(const ElfFile& elf);
  ~UnicornGuest() override;
  UnicornGuest(const UnicornGuest&) = delete;
  UnicornGuest& operator=(const UnicornGuest&) = delete;

  GuestMemory& memory() override { return memory_; }
  unsigned register_bytes() const override { return 4; }
  // Sees to all of what Guest::call() promises.
  std::uint64_t call(const std::string& function, std::span<const std::uint64_t> arguments, std::uint64_t budget) override;
  UnicornMachine& machine() { return machine_; }

  // How much of its stack the calls after paint_stack() wrote to, in bytes down from the caller's.
  void paint_stack();
  std::size_t stack_used() const;

 private:
  class Mapping {
   public:
    explicit Mapping(std::size_t bytes);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    unsigned char* data() const { return data_; }

   private:
    std::size_t bytes_;
    unsigned char* data_;
  };

  const ElfFile& elf_;
  Mapping heap_, stack_;  // outlive the machine that maps them
  UnicornMachine machine_;
  GuestMemory memory_;
  std::uint32_t end_;
};

}  // namespace nnrun_riscv
