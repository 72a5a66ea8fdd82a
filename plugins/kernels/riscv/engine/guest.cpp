#include "guest.hpp"

#include <algorithm>
#include <cstring>
#include <nnrun/plugin.hpp>

namespace nnrun_riscv {

namespace {

constexpr std::size_t alignment = 16, strip_bytes = 32;
constexpr unsigned char strip_byte = 0xa5;

}  // namespace

std::uint64_t GuestMemory::allocate(std::size_t bytes) {
  // Checked without adding: a sum could wrap.
  const std::size_t left = capacity_ - used_;
  if (left < strip_bytes + alignment || bytes > left - strip_bytes - alignment) {
    throw nnrun::Error("the RISC-V kernels need " + std::to_string(bytes) + " more bytes of memory for one call, of " +
                       std::to_string(capacity_) + " in all " + std::to_string(left) + " are left: a smaller batch needs less");
  }
  const std::uint64_t address = base_ + used_;
  std::memset(host_ + used_ + bytes, strip_byte, strip_bytes);
  strips_.push_back(used_ + bytes);
  used_ = (used_ + bytes + strip_bytes + alignment - 1) / alignment * alignment;
  return address;
}

void GuestMemory::clear() {
  used_ = 0;
  strips_.clear();
}

void GuestMemory::check_strips(const std::string& who) const {
  for (const std::size_t strip : strips_) {
    const unsigned char* begin = host_ + strip;
    if (std::any_of(begin, begin + strip_bytes, [](unsigned char byte) { return byte != strip_byte; })) {
      throw nnrun::Error(who + " wrote behind its operands");
    }
  }
}

}  // namespace nnrun_riscv
