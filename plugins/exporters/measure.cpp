#include "measure.hpp"

#include "../common/text.hpp"
#include "toolchain.hpp"

#ifdef NNRUN_WITH_RISCV_ENGINE
#include "engine/unicorn_guest.hpp"
#endif

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <regex>
#include <sstream>

namespace nnrun::exporters {

namespace {

std::string tool(const std::string& name) {
  const std::string path = find_tool(name);
  if (path.empty()) {
    throw Error("there is no RISC-V " + name +
                " on this machine (Debian: " + (name == "gcc" ? "gcc-riscv64-linux-gnu" : "binutils-riscv64-linux-gnu") + ")");
  }
  return path;
}

constexpr const char* end_function =
    "  .text\n  .globl kernel_end\n  .type kernel_end, @function\nkernel_end:\n  j kernel_end\n  .size kernel_end, .-kernel_end\n";

// The call graph that gcc writes: nodes with their frames, edges from who calls to who is called.
std::size_t deepest_stack(const std::string& graph) {
  std::map<std::string, std::size_t> frames;
  std::multimap<std::string, std::string> calls;
  static const std::regex node(R"re(node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes \((static|dynamic)[^"]*")re");
  static const std::regex edge(R"re(edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)")re");
  for (auto i = std::sregex_iterator(graph.begin(), graph.end(), node); i != std::sregex_iterator(); ++i) {
    if ((*i)[3] != "static") throw Error("the compiler gives " + (*i)[1].str() + " a stack of no fixed size");
    frames[(*i)[1]] = std::stoul((*i)[2]);
  }
  for (auto i = std::sregex_iterator(graph.begin(), graph.end(), edge); i != std::sregex_iterator(); ++i) calls.emplace((*i)[1], (*i)[2]);
  const std::function<std::size_t(const std::string&, int)> depth = [&](const std::string& function, int level) -> std::size_t {
    if (level > 32) throw Error("the exported C calls itself");
    std::size_t below = 0;
    const auto [begin, end] = calls.equal_range(function);
    for (auto call = begin; call != end; ++call) below = std::max(below, depth(call->second, level + 1));
    return frames[function] + below;
  };
  std::size_t most = 0;
  for (const auto& [function, frame] : std::map(frames)) most = std::max(most, depth(function, 0));
  return most;
}

}  // namespace

Sections sections_of(const std::string& size_tool, const std::string& file) {
  Sections sections;
  std::istringstream rows(run_tool({size_tool, "-A", file}));
  for (std::string row; std::getline(rows, row);) {
    std::istringstream words(row);
    std::string name;
    std::int64_t bytes = 0;
    if (!(words >> name >> bytes)) continue;
    if (name.starts_with(".text")) sections.code += bytes;
    if (name.starts_with(".rodata") || name.starts_with(".srodata")) sections.constants += bytes;
    if (name.starts_with(".data") || name.starts_with(".sdata") || name.starts_with(".bss") || name.starts_with(".sbss"))
      sections.variables += bytes;
  }
  return sections;
}

std::string linked(const std::string& assembly, const std::string& script) {
  const TemporaryFolder folder;
  const std::string object = folder / "net.o";
  run_tool({tool("as"), "-march=rv32im", "-mabi=ilp32", folder.write("net.s", assembly), "-o", object});
  run_tool({tool("ld"), "-m", "elf32lriscv", "--no-relax", "-T", folder.write("net.ld", script), object, "-o", folder / "net.elf"});
  return folder.read("net.elf");
}

CompiledC compiled(const std::string& header, const std::string& source, const std::string& name, const std::string& optimisation) {
  const TemporaryFolder folder;
  folder.write(name + ".h", header);
  const std::string object = folder / "net.o", end = folder / "end.o";
  // Loops stay loops: there is no library with memcpy and memset.
  run_tool({tool("gcc"), "-std=c99", optimisation, "-march=rv32imac", "-mabi=ilp32", "-ffreestanding", "-fno-tree-loop-distribute-patterns",
            "-fcallgraph-info=su", "-c", folder.write("net.c", source), "-o", object});
  run_tool({tool("as"), "-march=rv32imac", "-mabi=ilp32", folder.write("end.s", end_function), "-o", end});
  run_tool({tool("ld"), "-m", "elf32lriscv", "--no-relax", "-Ttext=0x10000", "-e", name + "_run", object, end, "-o", folder / "net.elf"});
  return {folder.read("net.elf"), sections_of(tool("size"), object), deepest_stack(folder.read("net.ci"))};
}

std::string instructions_text(const Inference& inference) {
  std::string text = grouped(static_cast<std::int64_t>(inference.least_instructions));
  if (inference.most_instructions != inference.least_instructions)
    text += " to " + grouped(static_cast<std::int64_t>(inference.most_instructions));
  return text + " instructions an inference";
}

#ifdef NNRUN_WITH_RISCV_ENGINE

std::optional<Inference> run_inference(const std::string& elf, const Net& net, const std::string& name) {
  using namespace nnrun_riscv;
  const ElfFile parsed = parse_elf({reinterpret_cast<const unsigned char*>(elf.data()), elf.size()});
  UnicornGuest guest(parsed);
  Inference result;
  result.least_instructions = ~std::uint64_t{0};
  const auto row = static_cast<std::size_t>(net.inputs * bytes_of(net.input)), outputs = static_cast<std::size_t>(net.outputs);
  const auto* golden = static_cast<const std::int32_t*>(net.golden_outputs.data);
  for (std::size_t i = 0; i < static_cast<std::size_t>(net.golden); ++i) {
    guest.memory().clear();
    const std::uint64_t input = guest.memory().allocate(row), output = guest.memory().allocate(4 * outputs);
    std::memcpy(guest.memory().at(input), static_cast<const char*>(net.golden_inputs.data) + i * row, row);
    guest.paint_stack();
    constexpr std::uint64_t budget = std::uint64_t{1} << 36;
    const std::uint64_t best = guest.call(name + "_run", std::array{input, output}, budget);
    const std::span<const std::int32_t> wanted(golden + i * outputs, outputs);
    if (std::memcmp(guest.memory().at(output), wanted.data(), 4 * outputs) != 0 || static_cast<std::int64_t>(best) != class_of(wanted)) {
      throw Error("the exported program gives other outputs than nnrun for golden vector " + std::to_string(i));
    }
    result.least_instructions = std::min(result.least_instructions, guest.machine().instructions());
    result.most_instructions = std::max(result.most_instructions, guest.machine().instructions());
    result.stack = std::max(result.stack, guest.stack_used());
  }
  return result;
}

#else

std::optional<Inference> run_inference(const std::string&, const Net&, const std::string&) { return std::nullopt; }

#endif

}  // namespace nnrun::exporters
