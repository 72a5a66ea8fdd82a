#include "plugins/elf.hpp"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <vector>

namespace nnrun::core {

namespace {

#if defined(__x86_64__)
constexpr Elf64_Half our_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half our_machine = EM_AARCH64;
#elif defined(__riscv)
constexpr Elf64_Half our_machine = EM_RISCV;
#else
#error "add this machine's ELF number"
#endif

bool fits(std::uint64_t offset, std::uint64_t bytes, std::uint64_t file_size) { return offset <= file_size && bytes <= file_size - offset; }

}  // namespace

std::string why_not_loadable(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return "cannot be read";
  in.seekg(0, std::ios::end);
  const auto file_size = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);

  Elf64_Ehdr header{};
  if (!in.read(reinterpret_cast<char*>(&header), sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return "not a shared library (no ELF header)";
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != our_machine) return "built for another machine";
  if (header.e_type != ET_DYN) return "an ELF file, but not a shared library";
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return "damaged (odd program header size)";

  const std::uint64_t headers_bytes = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  const std::uint64_t sections_bytes = std::uint64_t{header.e_shnum} * header.e_shentsize;
  const auto truncated = [&](std::uint64_t need) {
    return "truncated: it has " + std::to_string(file_size) + " bytes, its headers speak of " + std::to_string(need);
  };
  if (!fits(header.e_phoff, headers_bytes, file_size)) return truncated(header.e_phoff + headers_bytes);
  if (!fits(header.e_shoff, sections_bytes, file_size)) return truncated(header.e_shoff + sections_bytes);

  std::vector<Elf64_Phdr> segments(header.e_phnum);
  in.seekg(static_cast<std::streamoff>(header.e_phoff));
  in.read(reinterpret_cast<char*>(segments.data()), static_cast<std::streamsize>(headers_bytes));
  if (!in) return "cannot be read";
  for (const Elf64_Phdr& segment : segments) {
    if (!fits(segment.p_offset, segment.p_filesz, file_size)) return truncated(segment.p_offset + segment.p_filesz);
  }
  return "";
}

std::size_t count_constructors(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  Elf64_Ehdr header{};
  if (!in.read(reinterpret_cast<char*>(&header), sizeof header) || header.e_shentsize != sizeof(Elf64_Shdr)) return 0;
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  in.seekg(static_cast<std::streamoff>(header.e_shoff));
  if (!in.read(reinterpret_cast<char*>(sections.data()), static_cast<std::streamsize>(sections.size() * sizeof(Elf64_Shdr)))) return 0;
  std::size_t count = 0;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type == SHT_INIT_ARRAY) count += section.sh_size / sizeof(void*);
  }
  return count;
}

}  // namespace nnrun::core
