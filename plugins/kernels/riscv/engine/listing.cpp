#include "listing.hpp"

#include <charconv>

namespace nnrun_riscv {

namespace {

bool starts(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  for (const std::string_view beginning : beginnings) {
    if (text.substr(0, beginning.size()) == beginning) return true;
  }
  return false;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

std::uint64_t hexadecimal(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// "bne\ts4,s5,10098 <matmul_q16_block_loop>" -> 0x10098
std::uint64_t target_of(std::string_view text) {
  const std::size_t symbol = text.rfind(" <");
  if (symbol == std::string_view::npos) return 0;
  const std::size_t before = text.find_last_of(",\t ", symbol - 1);
  return before == std::string_view::npos ? 0 : hexadecimal(text.substr(before + 1, symbol - before - 1));
}

}  // namespace

nnrun_instruction_kind kind_of_mnemonic(std::string_view m) {
  if (is_one_of(m, {"ecall", "ebreak", "fence", "fence.i", "wfi", "mret", "unimp"}) || starts(m, {"csr", "rd"}))
    return NNRUN_INSTRUCTION_SYSTEM;
  if (is_one_of(m, {"j", "jal", "jalr", "jr", "ret", "call", "tail"})) return NNRUN_INSTRUCTION_JUMP;
  if (m[0] == 'b') return NNRUN_INSTRUCTION_BRANCH;
  if (is_one_of(m, {"lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"}) ||
      starts(m, {"vle", "vlse", "vlux", "vlox", "vl1", "vl2", "vl4", "vl8", "flw", "fld"})) {
    return NNRUN_INSTRUCTION_LOAD;
  }
  if (is_one_of(m, {"sb", "sh", "sw", "sd"}) ||
      starts(m, {"vse8", "vse16", "vse32", "vse64", "vsse", "vsux", "vsox", "vs1", "vs2", "vs4", "vs8", "fsw", "fsd"})) {
    return NNRUN_INSTRUCTION_STORE;
  }
  if (starts(m, {"mul", "div", "rem", "vmul", "vmacc", "vnmsac", "vmadd", "vwmul", "vwmacc", "vsmul", "vdiv", "vrem"}))
    return NNRUN_INSTRUCTION_MULTIPLY;
  return NNRUN_INSTRUCTION_ARITHMETIC;
}

std::vector<ListedInstruction> parse_listing(std::string_view listing) {
  std::vector<ListedInstruction> all;
  while (!listing.empty()) {
    const std::size_t end = listing.find('\n');
    const std::string_view line = listing.substr(0, end);
    listing.remove_prefix(end == std::string_view::npos ? listing.size() : end + 1);
    // "   10000:\tbltz\ta4,1053c <matmul_q16_bad>"; everything else has no ":\t".
    const std::size_t colon = line.find(":\t");
    const std::size_t first = line.find_first_not_of(' ');
    if (colon == std::string_view::npos || first == std::string_view::npos) continue;
    const std::string_view text = line.substr(colon + 2);
    ListedInstruction instruction;
    instruction.address = hexadecimal(line.substr(first, colon - first));
    instruction.kind = kind_of_mnemonic(text.substr(0, text.find('\t')));
    if (instruction.kind == NNRUN_INSTRUCTION_BRANCH || instruction.kind == NNRUN_INSTRUCTION_JUMP) instruction.target = target_of(text);
    instruction.text = text;
    for (char& c : instruction.text) c = c == '\t' ? ' ' : c;
    all.push_back(std::move(instruction));
  }
  return all;
}

}  // namespace nnrun_riscv
