// How often each instruction of a program ran.
#pragma once

#include "elf_file.hpp"

#include <cstdint>
#include <mutex>
#include <vector>

namespace nnrun_riscv {

// The code of a program, cut into instructions: 2 bytes long where the extension C is used, 4 otherwise.
class CodeMap {
 public:
  explicit CodeMap(const ElfFile& elf);
  std::uint64_t begin() const { return begin_; }
  // In steps of two bytes, the shortest instruction.
  std::size_t places() const { return first_.empty() ? 0 : first_.size() - 1; }
  bool contains(std::uint64_t address, std::uint64_t bytes) const {
    return address >= begin_ && (address - begin_) / 2 + bytes / 2 <= places();
  }
  // In a run of code without a jump in it.
  std::uint64_t instructions(std::uint64_t address, std::uint64_t bytes) const {
    const std::size_t place = (address - begin_) / 2;
    return first_[place + bytes / 2] - first_[place];
  }

 private:
  std::uint64_t begin_ = 0;
  std::vector<std::uint32_t> first_;  // at a place: how many instructions begin before it
};

}  // namespace nnrun_riscv
