// Counts of a library's instructions, for nnrun_kernels_vtable.
#pragma once

#include "elf_file.hpp"

#include <nnrun/nnrun.h>
#include <atomic>
#include <mutex>
#include <string_view>
#include <vector>

namespace nnrun_riscv {

class CountTable {
 public:
  bool on() const { return on_; }
  void set(bool on);
  // One number for every two bytes of code.
  void add(const std::vector<std::uint64_t>& counts);
  // Every instruction of every function but those in `skip`, with its count. `elf` and `listing` are of the same program and, with what
  // they point to, must outlive the table.
  void hand_over(const ElfFile& elf, std::string_view listing, std::string_view skip, void* context,
                 void (*take)(void*, const nnrun_instruction_count*));

 private:
  struct Row {
    std::string text;
    const char* function;
    nnrun_instruction_kind kind;
    std::uint64_t address, target;
    std::size_t place;
  };
  std::atomic<bool> on_ = false;
  std::mutex mutex_;
  std::vector<std::uint64_t> counts_;
  std::vector<Row> rows_;
};

}  // namespace nnrun_riscv
