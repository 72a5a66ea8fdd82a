#include "count_table.hpp"

#include "instruction_counts.hpp"
#include "listing.hpp"

#include <algorithm>

namespace nnrun_riscv {

void CountTable::set(bool on) {
  const std::lock_guard lock(mutex_);
  if (on) counts_.clear();
  on_ = on;
}

void CountTable::add(const std::vector<std::uint64_t>& counts) {
  const std::lock_guard lock(mutex_);
  counts_.resize(std::max(counts_.size(), counts.size()), 0);
  for (std::size_t i = 0; i < counts.size(); ++i) counts_[i] += counts[i];
}

void CountTable::hand_over(const ElfFile& elf, std::string_view listing, std::string_view skip, void* context,
                           void (*take)(void*, const nnrun_instruction_count*)) {
  const std::lock_guard lock(mutex_);
  if (rows_.empty()) {
    const std::uint64_t begin = CodeMap(elf).begin();
    for (ListedInstruction& instruction : parse_listing(listing)) {
      const Function* function = function_at(elf, instruction.address);
      if (function == nullptr || function->name == skip) continue;  // padding between functions
      rows_.push_back({std::move(instruction.text), function->name.c_str(), instruction.kind, instruction.address, instruction.target,
                       static_cast<std::size_t>((instruction.address - begin) / 2)});
    }
  }
  for (const Row& from : rows_) {
    nnrun_instruction_count row{};
    row.size = sizeof row;
    row.kind = from.kind;
    row.function = from.function;
    row.text = from.text.c_str();
    row.address = from.address;
    row.target = from.target;
    row.count = from.place < counts_.size() ? counts_[from.place] : 0;
    take(context, &row);
  }
}

}  // namespace nnrun_riscv
