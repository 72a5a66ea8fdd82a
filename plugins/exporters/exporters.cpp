#include "exporters.hpp"

#include "../common/text.hpp"
#include "assembly.hpp"
#include "c_source.hpp"
#include "measure.hpp"
#include "npz.hpp"
#include "self_test.hpp"
#include "toolchain.hpp"

namespace nnrun::exporters {

namespace {

std::string bytes_text(std::int64_t bytes) { return grouped(bytes) + (bytes == 1 ? " byte" : " bytes"); }

// Flash and RAM without what the compiler makes.
std::string memory_text(const Net& net) {
  return "constants: " + bytes_text(net.weight_bytes()) + " of flash; layers' results: " + bytes_text(net.arena_bytes) + " of RAM; no heap";
}

void note_program(const Files& files, const std::string& elf, const Net& net, const std::string& name, const Sections& sections) {
  files.note("RV32IM: " + bytes_text(sections.code) + " of code, " + bytes_text(sections.constants) + " of constants, " +
             bytes_text(sections.variables) + " of RAM");
  if (const auto inference = run_inference(elf, net, name)) {
    files.note("ran in nnrun's RISC-V engine: " + std::to_string(net.golden) + " golden vectors came out to the bit, " +
               instructions_text(*inference) + ", " + bytes_text(static_cast<std::int64_t>(inference->stack)) + " of stack");
  } else {
    files.note("not run: this nnrun was built without the RISC-V engine (Debian: libunicorn-dev)");
  }
}

Sections sections_of_program(const std::string& elf) {
  const TemporaryFolder folder;
  return sections_of(find_tool("size"), folder.write("net.elf", elf));
}

// Sections of the net itself, without the self-test and its vectors.
std::string net_alone(const std::string& assembly) {
  return assembly +
         "  .text\n  .globl kernel_end\n  .type kernel_end, @function\nkernel_end:\n  j kernel_end\n  .size kernel_end, .-kernel_end\n";
}

}  // namespace

void C99::export_net(const nnrun_net_view& view, const nnrun_exported& to) const {
  require_identifier(called);
  const Net net = net_of(view, golden);
  const CSource c = c_source(net, called);
  const Files files(to);
  files.add(called + ".h", c.header);
  files.add(called + ".c", c.source);
  files.add(called + "_golden.h", c.golden);
  files.add(called + "_self_test.c", c.self_test);
  files.note(memory_text(net));
  if (!net.integers) return;  // floats in software would be the compiler's library, not the net
  if (find_tool("gcc").empty()) {
    files.note("code, stack and instructions on RISC-V were not measured: there is no compiler (Debian: gcc-riscv64-linux-gnu)");
    return;
  }
  for (const char* optimisation : {"-Os", "-O2", "-O3"}) {
    const CompiledC program = compiled(c.header, c.source, called, optimisation);
    std::string text = std::string("RV32IMAC, gcc ") + optimisation + ": " + bytes_text(program.sections.code) + " of code, " +
                       bytes_text(static_cast<std::int64_t>(program.stack)) + " of stack";
    if (const auto inference = run_inference(program.elf, net, called)) {
      if (inference->stack > program.stack)
        throw Error("the exported C used " + std::to_string(inference->stack) + " bytes of stack, more than its compiler says");
      text += ", " + instructions_text(*inference) + "; " + std::to_string(net.golden) + " golden vectors came out to the bit";
    }
    files.note(text);
  }
}

void RiscvAssembly::export_net(const nnrun_net_view& view, const nnrun_exported& to) const {
  require_identifier(called);
  const Net net = net_of(view, golden);
  const std::string assembly = assembly_of(net, called, Dialect::gnu);
  const Files files(to);
  files.add(called + ".S", assembly);
  files.add(called + "_self_test.S", self_test_assembly(net, called, Dialect::gnu) + golden_assembly(net, called, Dialect::gnu));
  files.add(called + ".ld", linker_script());
  files.note(memory_text(net));
  if (find_tool("as").empty()) {
    files.note("not assembled: there is no assembler (Debian: binutils-riscv64-linux-gnu)");
    return;
  }
  const std::string elf = linked(net_alone(assembly), linker_script());
  note_program(files, elf, net, called, sections_of_program(elf));
}

void RiscvElf::export_net(const nnrun_net_view& view, const nnrun_exported& to) const {
  require_identifier(called);
  const Net net = net_of(view, golden);
  const std::string elf = linked(
      assembly_of(net, called, Dialect::gnu) + self_test_assembly(net, called, Dialect::gnu) + golden_assembly(net, called, Dialect::gnu),
      linker_script());
  const Files files(to);
  files.add(called + ".elf", elf, true);
  note_program(files, elf, net, called, sections_of_program(elf));
  files.note("run it: qemu-system-riscv32 -M virt -bios none -nographic -kernel " + called + ".elf");
}

void Venus::export_net(const nnrun_net_view& view, const nnrun_exported& to) const {
  require_identifier(called);
  const Net net = net_of(view, golden);
  const Files files(to);
  files.add(called + ".s", self_test_assembly(net, called, Dialect::venus) + assembly_of(net, called, Dialect::venus) +
                               golden_assembly(net, called, Dialect::venus));
  files.note(memory_text(net));
}

void Npz::export_net(const nnrun_net_view& view, const nnrun_exported& to) const {
  require_identifier(called);
  std::vector<std::pair<std::string, nnrun_tensor>> arrays;
  const auto some = [&](nnrun_tensor batch) {
    batch.dim[0] = std::min(golden, batch.dim[0]);
    return batch;
  };
  arrays.emplace_back("input", some(view.input));
  std::int64_t bytes = 0;
  for (std::uint32_t i = 0; i < view.layer_count; ++i) {
    const nnrun_layer_view& layer = view.layers[i];
    for (std::uint32_t k = 0; k < layer.tensor_count; ++k) {
      arrays.emplace_back(std::string(layer.name) + "." + layer.tensor_names[k], layer.tensors[k]);
      bytes += Tensor(layer.tensors[k]).count() * bytes_of(static_cast<nnrun_dtype>(layer.tensors[k].dtype));
    }
    arrays.emplace_back(std::string(layer.name) + ".output", some(layer.output));
  }
  const Files files(to);
  files.add(called + ".npz", npz_of(arrays));
  files.note("constants: " + bytes_text(bytes) + "; " + std::to_string(arrays.size()) + " arrays");
}

}  // namespace nnrun::exporters
