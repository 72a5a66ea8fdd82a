#include "elf_file.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <nnrun/plugin.hpp>

namespace nnrun_riscv {

namespace {

using Bytes = std::span<const unsigned char>;

Bytes part(Bytes file, std::uint64_t offset, std::uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) throw nnrun::Error("the ELF file is damaged: a part of it lies behind its end");
  return file.subspan(offset, size);
}

template <class T>
T read(Bytes file, std::uint64_t offset) {
  T value;
  std::memcpy(&value, part(file, offset, sizeof value).data(), sizeof value);
  return value;
}

std::string text_at(Bytes strings, std::uint64_t offset) {
  const Bytes rest = part(strings, offset, strings.size() - std::min<std::uint64_t>(offset, strings.size()));
  const auto end = std::find(rest.begin(), rest.end(), 0);
  return {rest.begin(), end};
}

template <class Header, class ProgramHeader, class SectionHeader, class Symbol>
ElfFile parse(Bytes file, unsigned bits) {
  const auto header = read<Header>(file, 0);
  if (header.e_machine != EM_RISCV || header.e_type != ET_EXEC) throw nnrun::Error("this ELF file is no RISC-V executable");
  ElfFile elf;
  elf.bits = bits;
  elf.entry = header.e_entry;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = read<ProgramHeader>(file, header.e_phoff + std::uint64_t{i} * sizeof(ProgramHeader));
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (segment.p_filesz > segment.p_memsz) throw nnrun::Error("the ELF file is damaged: a segment is larger in the file than in memory");
    elf.segments.push_back({segment.p_vaddr, segment.p_memsz, part(file, segment.p_offset, segment.p_filesz), (segment.p_flags & PF_W) != 0,
                            (segment.p_flags & PF_X) != 0});
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto table = read<SectionHeader>(file, header.e_shoff + std::uint64_t{i} * sizeof(SectionHeader));
    if (table.sh_type == SHT_PROGBITS && (table.sh_flags & SHF_EXECINSTR) != 0 && elf.code.empty()) {
      elf.code_address = table.sh_addr;
      elf.code = part(file, table.sh_offset, table.sh_size);
    }
    if (table.sh_type != SHT_SYMTAB) continue;
    const auto names = read<SectionHeader>(file, header.e_shoff + std::uint64_t{table.sh_link} * sizeof(SectionHeader));
    const Bytes strings = part(file, names.sh_offset, names.sh_size);
    for (std::uint64_t at = 0; at + sizeof(Symbol) <= table.sh_size; at += sizeof(Symbol)) {
      const auto symbol = read<Symbol>(file, table.sh_offset + at);
      if (ELF32_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
      elf.functions.push_back({text_at(strings, symbol.st_name), symbol.st_value, symbol.st_size});
    }
  }
  const auto by_address = [](const auto& a, const auto& b) { return a.address < b.address; };
  std::sort(elf.segments.begin(), elf.segments.end(), by_address);
  std::sort(elf.functions.begin(), elf.functions.end(), by_address);
  return elf;
}

}  // namespace

ElfFile parse_elf(Bytes file) {
  if (file.size() < EI_NIDENT || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) throw nnrun::Error("this is no ELF file");
  if (file[EI_CLASS] == ELFCLASS32) return parse<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, Elf32_Sym>(file, 32);
  return parse<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, Elf64_Sym>(file, 64);
}

const Function* find_function(const ElfFile& elf, std::string_view name) {
  const auto found = std::find_if(elf.functions.begin(), elf.functions.end(), [&](const Function& f) { return f.name == name; });
  return found == elf.functions.end() ? nullptr : &*found;
}

const Function* function_at(const ElfFile& elf, std::uint64_t address) {
  for (const Function& f : elf.functions) {
    if (address >= f.address && address - f.address < f.size) return &f;
  }
  return nullptr;
}

}  // namespace nnrun_riscv
