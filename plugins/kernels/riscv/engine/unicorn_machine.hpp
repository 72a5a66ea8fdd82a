// A RV32 processor in this process, emulated by Unicorn. unicorn_machine.cpp is the only file that includes it.
#pragma once

#include "elf_file.hpp"
#include "instruction_counts.hpp"

#include <array>
#include <functional>
#include <memory>

namespace nnrun_riscv {

using Registers = std::array<std::uint32_t, 32>;  // x0 to x31

class UnicornMachine {
 public:
  // Loads the program. `elf` and the bytes that it points to must outlive the machine. Throws nnrun::Error.
  explicit UnicornMachine(const ElfFile& elf);
  ~UnicornMachine();
  UnicornMachine(const UnicornMachine&) = delete;
  UnicornMachine& operator=(const UnicornMachine&) = delete;

  // Memory of the host at `address` of the guest; both are multiples of 4096.
  void map(std::uint32_t address, unsigned char* host, std::size_t bytes);

  // Runs from `pc` to `until`, or until an ECALL's handler returns false. Throws nnrun::Error with the pc, the function and the
  // registers at a fault, and where more than `budget` instructions run.
  void run(std::uint32_t pc, std::uint32_t until, std::uint64_t budget);

  Registers registers() const;
  void set_registers(const Registers& values);
  std::uint32_t get(unsigned index) const;
  void set(unsigned index, std::uint32_t value);
  // Guest memory, page by page; false where some of it is not mapped.
  bool read(std::uint32_t address, void* to, std::size_t bytes) const;
  bool write(std::uint32_t address, const void* from, std::size_t bytes);

  std::function<bool()> on_ecall;
  // How many instructions the last run took, and of which how many each; the counts of all runs add up while `counting`.
  std::uint64_t instructions() const;
  void set_counting(bool on);
  // One number a place of code(): how often what begins there ran.
  std::vector<std::uint64_t> take_counts();
  const CodeMap& code() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nnrun_riscv
