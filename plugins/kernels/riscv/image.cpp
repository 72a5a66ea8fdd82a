#include "image.hpp"

// The build says where the files are: NNRUN_RV32_ELF and so on.
#define INCLUDE_FILE(symbol, file)                                                                              \
  asm(".section .rodata\n.balign 16\n" #symbol "_begin:\n.incbin \"" file "\"\n" #symbol "_end:\n.previous\n"); \
  extern "C" __attribute__((visibility("hidden"))) const unsigned char symbol##_begin[], symbol##_end[];

INCLUDE_FILE(nnrun_rv32_elf, NNRUN_RV32_ELF)
INCLUDE_FILE(nnrun_rv32_listing, NNRUN_RV32_LISTING)
INCLUDE_FILE(nnrun_rv64_vector_elf, NNRUN_RV64_VECTOR_ELF)
INCLUDE_FILE(nnrun_rv64_vector_listing, NNRUN_RV64_VECTOR_LISTING)
INCLUDE_FILE(nnrun_rv32_vector_elf, NNRUN_RV32_VECTOR_ELF)

namespace nnrun_riscv {

namespace {

std::string_view text(const unsigned char* begin, const unsigned char* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
}

}  // namespace

const ElfFile& rv32_kernels() {
  static const ElfFile elf = parse_elf({nnrun_rv32_elf_begin, nnrun_rv32_elf_end});
  return elf;
}

std::string_view rv32_listing() { return text(nnrun_rv32_listing_begin, nnrun_rv32_listing_end); }

std::span<const unsigned char> rv64_vector_file() { return {nnrun_rv64_vector_elf_begin, nnrun_rv64_vector_elf_end}; }
std::span<const unsigned char> rv32_vector_file() { return {nnrun_rv32_vector_elf_begin, nnrun_rv32_vector_elf_end}; }

std::string_view rv64_vector_listing() { return text(nnrun_rv64_vector_listing_begin, nnrun_rv64_vector_listing_end); }

const ElfFile& rv64_vector_kernels() {
  static const ElfFile elf = parse_elf(rv64_vector_file());
  return elf;
}

const ElfFile& rv32_vector_kernels() {
  static const ElfFile elf = parse_elf(rv32_vector_file());
  return elf;
}

}  // namespace nnrun_riscv
