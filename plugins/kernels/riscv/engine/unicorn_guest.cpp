#include "unicorn_guest.hpp"

#include <sys/mman.h>
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstring>

namespace nnrun_riscv {

namespace {

// What a call may use: pages that are never touched cost nothing.
constexpr std::uint32_t heap_address = 0x20000000;
constexpr std::size_t heap_bytes = std::size_t{256} << 20;
constexpr std::uint32_t stack_address = 0x70000000;
constexpr std::size_t stack_bytes = 16384, strip_bytes = 256;  // the strip lies above what is the kernel's: it is the caller's
constexpr unsigned char strip_byte = 0x5a;

constexpr unsigned ra = 1, sp = 2, gp = 3, tp = 4, s0 = 8, s1 = 9, a0 = 10, s2 = 18, s11 = 27;

constexpr bool kept_by_callee(unsigned index) {
  return index == sp || index == gp || index == tp || index == s0 || index == s1 || (index >= s2 && index <= s11);
}

}  // namespace

UnicornGuest::Mapping::Mapping(std::size_t bytes) : bytes_(bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw nnrun::Error("no memory for the RISC-V engine: " + std::to_string(bytes) + " bytes");
  data_ = static_cast<unsigned char*>(memory);
}

UnicornGuest::Mapping::~Mapping() { munmap(data_, bytes_); }

UnicornGuest::UnicornGuest(const ElfFile& elf)
    : elf_(elf), heap_(heap_bytes), stack_(stack_bytes), machine_(elf), memory_(heap_address, heap_.data(), heap_bytes) {
  machine_.map(heap_address, heap_.data(), heap_bytes);
  machine_.map(stack_address, stack_.data(), stack_bytes);
  std::memset(stack_.data() + stack_bytes - strip_bytes, strip_byte, strip_bytes);
  const Function* end = find_function(elf, "kernel_end");
  if (end == nullptr) throw nnrun::Error("the RISC-V kernels have no function kernel_end");
  end_ = static_cast<std::uint32_t>(end->address);
}

UnicornGuest::~UnicornGuest() = default;

void UnicornGuest::paint_stack() { std::memset(stack_.data(), strip_byte, stack_bytes); }

std::size_t UnicornGuest::stack_used() const {
  const unsigned char* end = stack_.data() + stack_bytes - strip_bytes;
  return static_cast<std::size_t>(
      end - std::find_if(static_cast<const unsigned char*>(stack_.data()), end, [](unsigned char byte) { return byte != strip_byte; }));
}

std::uint64_t UnicornGuest::call(const std::string& name, std::span<const std::uint64_t> arguments, std::uint64_t budget) {
  const Function* function = find_function(elf_, name);
  if (function == nullptr) throw nnrun::Error("there is no RISC-V kernel " + name);
  Registers before{};
  for (unsigned i = 1; i < before.size(); ++i) before[i] = 0xc0de0000u + i;  // what a kernel must not rely on, or not change
  before[ra] = end_;
  before[sp] = stack_address + static_cast<std::uint32_t>(stack_bytes - strip_bytes);
  for (std::size_t i = 0; i < arguments.size(); ++i) before[a0 + i] = static_cast<std::uint32_t>(arguments[i]);
  machine_.set_registers(before);
  machine_.run(static_cast<std::uint32_t>(function->address), end_, budget);

  const Registers after = machine_.registers();
  for (unsigned i = 0; i < after.size(); ++i) {
    if (kept_by_callee(i) && after[i] != before[i]) {
      throw nnrun::Error("the RISC-V kernel " + name + " did not keep register x" + std::to_string(i) + ", which is its caller's");
    }
  }
  const unsigned char* strip = stack_.data() + stack_bytes - strip_bytes;
  if (std::any_of(strip, strip + strip_bytes, [](unsigned char byte) { return byte != strip_byte; })) {
    std::memset(stack_.data() + stack_bytes - strip_bytes, strip_byte, strip_bytes);
    throw nnrun::Error("the RISC-V kernel " + name + " wrote to its caller's stack");
  }
  memory_.check_strips("the RISC-V kernel " + name);
  return after[a0];
}

}  // namespace nnrun_riscv
