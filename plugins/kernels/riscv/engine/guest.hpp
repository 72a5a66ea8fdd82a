// A processor of another kind that runs our kernels, and its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace nnrun_riscv {

// Memory of the guest that kernels get their operands in, from the host's side: it goes up only (a bump allocator), and starts anew
// with each call. Behind each piece lies a strip that must not change.
class GuestMemory {
 public:
  // `base`: where `capacity` bytes at `host` lie for the guest.
  GuestMemory(std::uint64_t base, unsigned char* host, std::size_t capacity) : base_(base), host_(host), capacity_(capacity) {}

  // The guest's address of `bytes` new bytes, aligned to 16. Throws nnrun::Error where they are more than what is left.
  std::uint64_t allocate(std::size_t bytes);
  void* at(std::uint64_t address) const { return host_ + (address - base_); }
  void clear();
  // Throws nnrun::Error where somebody wrote behind a piece.
  void check_strips(const std::string& who) const;

 private:
  std::uint64_t base_;
  unsigned char* host_;
  std::size_t capacity_, used_ = 0;
  std::vector<std::size_t> strips_;
};

class Guest {
 public:
  virtual ~Guest() = default;
  virtual GuestMemory& memory() = 0;
  virtual unsigned register_bytes() const = 0;
  // Calls a function by the C calling convention, with up to eight arguments, and returns what it left in a0. Throws nnrun::Error where
  // there is no such function, where it faults, runs more than `budget` instructions, does not keep the registers and the stack that are
  // its caller's, or writes behind its operands. Which of these a guest can tell is its own.
  virtual std::uint64_t call(const std::string& function, std::span<const std::uint64_t> arguments, std::uint64_t budget) = 0;
};

}  // namespace nnrun_riscv
