// Workers: who executes them, and what is said of kernels that do wrong in one.
#include "by_qemu.hpp"
#include "engine/worker_guest.hpp"
#include "files.hpp"
#include "image.hpp"
#include "product.hpp"

#include <catch2/catch.hpp>
#include <nnrun/plugin.hpp>

using namespace nnrun_riscv;

namespace {

std::string failure(WorkerGuest& guest, const std::string& function, std::uint64_t argument = 0) {
  const std::uint64_t arguments[] = {argument, 2, 8};
  try {
    guest.call(function, arguments, 0);
  } catch (const nnrun::Error& e) {
    return e.what();
  }
  return "";
}

// The results of the 128 x 784 product.
std::vector<std::int32_t> product(WorkerGuest& guest) {
  Product<nnrun_matmul_s8, std::uint8_t, std::int8_t> product;
  run_row(guest, product.a, 0);
  return product.y;
}

}  // namespace

TEST_CASE("a worker is executed directly where the machine is right for it, and otherwise it is said why not") {
  const Host another, without{64, 0, "an illegal instruction"}, with{64, 256, ""}, narrow{32, 256, ""};
  CHECK(!launch_for(another, 64, 256, false).directly);
  CHECK(launch_for(another, 64, 256, false).why_qemu.empty());
  CHECK(launch_for(with, 64, 256, false).directly);
  CHECK(launch_for(with, 64, 256, false).vector_bits == 256);
  CHECK(launch_for(narrow, 32, 256, false).directly);

  const struct {
    Launch launch;
    const char* why;
  } cases[] = {
      {launch_for(without, 64, 256, false), "this machine has no vectors for them (an illegal instruction)"},
      {launch_for(with, 64, 128, false), "this machine's vectors have 256 bits"},
      {launch_for(with, 64, 256, true), "instructions are to be counted"},
      {launch_for(narrow, 64, 256, false), "this machine is one of 32 bits, and they are for 64"},
  };
  for (const auto& c : cases) {
    CHECK(!c.launch.directly);
    CHECK(c.launch.why_qemu == c.why);
  }
}

TEST_CASE("where qemu is needed and missing, that and why is the error") {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  WorkerGuest plain(rv64_vector_file(), rv64_vector_kernels(), by_qemu(256));
  WorkerGuest other(rv32_vector_file(), rv32_vector_kernels(), launch_for({32, 128, ""}, 32, 512, false));
  const std::string first = failure(plain, "vector_bytes"), second = failure(other, "vector_bytes");
  setenv("PATH", path.c_str(), 1);
  if (first.find("exit code 127") != std::string::npos) {
    WARN("qemu's user mode does not say why a program did not start");
    return;
  }
  CHECK(first == "RISC-V kernels with vectors of 256 bits need qemu-riscv64 (Debian: qemu-user): No such file or directory");
  CHECK(second ==
        "RISC-V kernels with vectors of 512 bits need qemu-riscv32 (Debian: qemu-user), because this machine's vectors have 128 bits: "
        "No such file or directory");
}

TEST_CASE("a worker says how long its vectors are, or that it has none") {
  if (!have_qemu()) return;
  for (const unsigned bits : {128u, 256u, 1024u}) {
    WorkerGuest wide(rv64_vector_file(), rv64_vector_kernels(), by_qemu(bits));
    CHECK(wide.call("vector_bytes", {}, 0) == bits / 8);
    WorkerGuest narrow(rv32_vector_file(), rv32_vector_kernels(), by_qemu(bits));
    CHECK(narrow.call("vector_bytes", {}, 0) == bits / 8);
  }
}

TEST_CASE("this machine's own vectors give the same bits") {
  const Host& host = this_host();
#if defined(__riscv)
  CHECK(host.bits == __riscv_xlen);
  CHECK(host.lacking.empty() == (host.vector_bits != 0));
#else
  CHECK(host.bits == 0);
#endif
  const Launch launch = launch_for(host, 64, host.vector_bits, false);
  if (!launch.directly) {
    WARN("nothing to test: " << (host.bits == 0 ? "this machine is no RISC-V one" : launch.why_qemu));
    return;
  }
  WARN("vectors of " << host.vector_bits << " bits");
  WorkerGuest own(rv64_vector_file(), rv64_vector_kernels(), launch);
  Product<nnrun_matmul_s8, std::uint8_t, std::int8_t> expected;
  for (std::size_t f = 0; f < expected.y.size(); ++f) {
    std::int32_t sum = expected.bias[f];
    for (std::size_t k = 0; k < expected.x.size(); ++k) sum += expected.x[k] * expected.weights[f * expected.x.size() + k];
    expected.y[f] = sum;
  }
  CHECK(product(own) == expected.y);
  CHECK_THAT(failure(own, "relu_s32", 64),
             Catch::Contains("an access to 0x40, where there is no memory") && Catch::Contains("(relu_s32+0x"));
  CHECK(product(own) == expected.y);  // by the next worker
}

TEST_CASE("what a kernel does wrong in a worker is an error with pc, function and registers, and the next call has another worker") {
  if (!have_qemu()) return;
  for (const char* program : {NNRUN_BAD_WORKER_64, NNRUN_BAD_WORKER_32}) {
    const std::vector<unsigned char> file = read_file(program);
    const ElfFile elf = parse_elf(file);
    WorkerGuest guest(file, elf, by_qemu(256));
    const struct {
      const char* function;
      std::uint64_t argument;
      const char* expected;
    } cases[] = {
        {"loads_nowhere", 0x40, "RISC-V: an access to 0x40, where there is no memory, or where it is not allowed, at pc 0x2"},
        {"loads_nowhere", 0x40, "(loads_nowhere+0x"},
        {"loads_nowhere", 0x40, "; ra=0x2"},
        {"loads_nowhere", 0x40, " s2=0x5b2 "},
        {"loads_nowhere", 0x40, " a0=0x40 a1=0x2 "},
        {"stores_nowhere", 0x800, "an access to 0x800, where there is no memory"},
        {"stores_to_code", 0, "or where it is not allowed, at pc"},
        {"jumps_nowhere", 0x5000, "an access to 0x5000, where there is no memory, or where it is not allowed, at pc 0x5000;"},
        {"is_illegal", 0, "an illegal instruction, at pc"},
        {"is_illegal", 0, "(is_illegal+0x0)"},
        {"breaks", 0, "a breakpoint, at pc"},
        {"overflows_the_stack", 0, "(overflows_the_stack+0x"},
        {"changes_s3", 0, "the RISC-V kernel changes_s3 did not keep register x19, which is its caller's"},
        {"changes_sp", 0, "did not keep register x2,"},
        {"changes_tp", 0, "did not keep register x4,"},
        {"writes_to_callers_stack", 0, "the RISC-V kernel writes_to_callers_stack wrote to its caller's stack"},
        {"absent", 0, "there is no RISC-V kernel absent"},
    };
    for (const auto& c : cases) {
      INFO(elf.bits << " bits, " << c.function);
      CHECK_THAT(failure(guest, c.function, c.argument), Catch::Contains(c.expected));
      const std::uint64_t arguments[] = {40, 2};
      CHECK(guest.call("good", arguments, 0) == 42);
    }
    guest.memory().clear();
    const std::uint64_t four_bytes = guest.memory().allocate(4);
    CHECK(failure(guest, "writes_behind", four_bytes) == "the RISC-V kernel writes_behind wrote behind its operands");
  }
}
