// The engine in the process: what it runs, what it counts, and what it says of kernels that do wrong.
#include "engine/unicorn_guest.hpp"
#include "files.hpp"

#include <catch2/catch.hpp>
#include <nnrun/plugin.hpp>
#include <thread>

using namespace nnrun_riscv;

namespace {

// The message of the error that a call of `function` ends in; empty: it does not fail.
std::string failure(UnicornGuest& guest, const std::string& function, std::initializer_list<std::uint64_t> arguments = {},
                    std::uint64_t budget = 10000) {
  try {
    guest.call(function, {arguments.begin(), arguments.size()}, budget);
  } catch (const nnrun::Error& e) {
    return e.what();
  }
  return "";
}

struct Bad {
  std::vector<unsigned char> file = read_file(NNRUN_BAD_KERNELS);
  ElfFile elf = parse_elf(file);
  UnicornGuest guest{elf};
};

}  // namespace

TEST_CASE("a function gets its arguments and returns a0") {
  Bad bad;
  const std::uint64_t arguments[] = {40, 2};
  CHECK(bad.guest.call("good", arguments, 100) == 42);
  CHECK(bad.guest.machine().instructions() == 2);
  CHECK(failure(bad.guest, "absent") == "there is no RISC-V kernel absent");
}

TEST_CASE("faults name the pc, the function and the registers, and the engine goes on") {
  Bad bad;
  const std::uint64_t heap = bad.guest.memory().allocate(16);
  const struct {
    const char* function;
    std::uint64_t argument;
    const char* expected;
  } cases[] = {
      {"loads_nowhere", 0x40, "a load of 4 bytes at 0x40, where there is no memory, at pc 0x20010 (loads_nowhere+0x4); ra="},
      {"loads_nowhere", 0xfffffffc, "a load of 4 bytes at 0xfffffffc, where there is no memory"},
      {"stores_nowhere", 0x8000, "a store of 1 byte at 0x8000, where there is no memory"},
      {"stores_to_code", 0, "which is not allowed there"},
      {"jumps_nowhere", 0x5000, "a jump to 0x5000, where there is no memory"},
      {"jumps_to_data", heap, "which is not allowed there"},
      {"is_illegal", 0, "an illegal instruction, at pc"},
      {"is_illegal", 0, "(is_illegal+0x0)"},
      {"calls_the_system", 0, "(calls_the_system+0x0)"},
      {"breaks", 0, "an instruction that the engine does not have, at pc"},
      {"never_ends", 0, "more than 10000 instructions, its budget, at pc"},
      {"never_ends", 0, "(never_ends+0x0)"},
      {"changes_s3", 0, "changes_s3 did not keep register x19"},
      {"changes_sp", 0, "changes_sp did not keep register x2"},
      {"changes_tp", 0, "changes_tp did not keep register x4"},
      {"writes_to_callers_stack", 0, "writes_to_callers_stack wrote to its caller's stack"},
      {"overflows_the_stack", 0, "a store of 4 bytes at"},
      {"loads_nowhere", 0x40, " a0=0x40 a1=0xc0de000b "},
  };
  for (const auto& c : cases) {
    INFO(c.function);
    CHECK_THAT(failure(bad.guest, c.function, {c.argument}), Catch::Contains(c.expected));
    CHECK(failure(bad.guest, "good", {1, 2}).empty());  // nothing of it stays
  }
}

TEST_CASE("who writes behind an operand is found out") {
  Bad bad;
  const std::uint64_t four_bytes = bad.guest.memory().allocate(4);
  CHECK(failure(bad.guest, "writes_behind", {four_bytes}) == "the RISC-V kernel writes_behind wrote behind its operands");
}

TEST_CASE("instructions are counted exactly, to the budget") {
  Bad bad;
  const std::uint64_t count[] = {1000};
  bad.guest.call("counts_to", count, 2001);
  CHECK(bad.guest.machine().instructions() == 2001);
  CHECK_THAT(failure(bad.guest, "counts_to", {1000}, 2000), Catch::Contains("more than 2000 instructions"));

  bad.guest.machine().set_counting(true);
  bad.guest.call("counts_to", count, 2001);
  bad.guest.machine().set_counting(false);
  bad.guest.call("counts_to", count, 2001);
  const std::vector<std::uint64_t> counts = bad.guest.machine().take_counts();
  const Function& function = *find_function(bad.elf, "counts_to");
  const std::size_t place = (function.address - bad.guest.machine().code().begin()) / 2;
  CHECK(counts[place] == 1000);
  CHECK(counts[place + 2] == 1000);
  CHECK(counts[place + 4] == 1);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < counts.size(); i += 2) all += counts[i];
  CHECK(all == 2001);
}

TEST_CASE("guest memory has an end") {
  unsigned char host[256];
  GuestMemory memory(0x1000, host, sizeof host);
  CHECK(memory.allocate(10) == 0x1000);
  CHECK(memory.allocate(10) % 16 == 0);
  CHECK_THROWS_WITH(memory.allocate(200), Catch::Contains("need 200 more bytes"));
  CHECK_THROWS_WITH(memory.allocate(~std::size_t{0}), Catch::Contains("a smaller batch needs less"));
  CHECK_THROWS_WITH(memory.allocate(~std::size_t{0} - 40), Catch::Contains("a smaller batch needs less"));
  memory.clear();
  CHECK(memory.allocate(200) == 0x1000);
}

TEST_CASE("engines on several threads do not know of each other") {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([t, &right] {
      Bad bad;
      for (std::uint64_t i = 0; i < 100; ++i) {
        const std::uint64_t arguments[] = {t, i};
        right += bad.guest.call("good", arguments, 100) == t + i ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 400);
}

TEST_CASE("only RISC-V programs are loaded, and only whole ones") {
  const std::vector<unsigned char> whole = read_file(NNRUN_BAD_KERNELS);
  CHECK_THROWS_WITH(parse_elf({}), "this is no ELF file");
  CHECK_THROWS_WITH(parse_elf(read_file("/proc/self/exe")), Catch::Contains("no RISC-V executable"));
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    try {
      parse_elf(std::span(whole).first(size));
    } catch (const nnrun::Error& e) {
      CHECK_THAT(e.what(), Catch::Contains("ELF"));
    }
  }
}
