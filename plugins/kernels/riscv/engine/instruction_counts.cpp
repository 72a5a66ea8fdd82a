#include "instruction_counts.hpp"

namespace nnrun_riscv {

CodeMap::CodeMap(const ElfFile& elf) : begin_(elf.code_address) {
  const std::size_t places = elf.code.size() / 2;
  first_.resize(places + 1);
  std::uint32_t count = 0;
  for (std::size_t place = 0; place < places;) {
    first_[place] = count++;
    const bool compressed = (elf.code[place * 2] & 3u) != 3;
    if (!compressed && place + 1 < places) first_[place + 1] = count;
    place += compressed ? 1 : 2;
  }
  first_[places] = count;
}

}  // namespace nnrun_riscv
