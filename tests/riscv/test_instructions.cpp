// How many instructions the kernels take, exactly; and that there is none that no test runs.
#include "by_qemu.hpp"
#include "engine/count_table.hpp"
#include "engine/unicorn_guest.hpp"
#include "engine/worker_guest.hpp"
#include "files.hpp"
#include "image.hpp"
#include "product.hpp"
#include "rows_to_run.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <map>
#include <numeric>

using namespace nnrun_riscv;

namespace {

template <class Arguments, class X, class Weights>
void product(Guest& guest) {
  Product<Arguments, X, Weights> product;
  run_row(guest, product.a, 0);
}

// What tests/golden/instructions.json has: name, and what runs.
const std::vector<std::pair<std::string, std::function<void(Guest&)>>>& measured() {
  static const nnrun_windows image = RowsToRun::windows(28, 28, 3, 1, 1);
  static const std::vector<std::pair<std::string, std::function<void(Guest&)>>> all = {
      {"matmul_q16 128x784", product<nnrun_matmul_q16, std::int32_t, std::int32_t>},
      {"matmul_q16_low 128x784", product<nnrun_matmul_q16_low, std::int32_t, std::int32_t>},
      {"matmul_s32 128x784", product<nnrun_matmul_s32, std::int32_t, std::int32_t>},
      {"matmul_s8 128x784", product<nnrun_matmul_s8, std::uint8_t, std::int8_t>},
      {"conv2d_q16 28x28x1, 8 filters 3x3", [](Guest& g) { RowsToRun(1).conv2d<nnrun_conv2d_q16>(g, image, 1, 8, 1, true); }},
      {"conv2d_q16_low 28x28x1, 8 filters 3x3", [](Guest& g) { RowsToRun(1).conv2d<nnrun_conv2d_q16_low>(g, image, 1, 8, 1, true); }},
      {"conv2d_s32 28x28x1, 8 filters 3x3", [](Guest& g) { RowsToRun(1).conv2d<nnrun_conv2d_s32>(g, image, 1, 8, 1, true); }},
      {"conv2d_s8 28x28x1, 8 filters 3x3", [](Guest& g) { RowsToRun(1).conv2d<nnrun_conv2d_s8>(g, image, 1, 8, 1, true); }},
      {"relu_s32 128", [](Guest& g) { RowsToRun(1).elementwise<nnrun_relu_s32>(g, 128); }},
      {"abs_s32 128", [](Guest& g) { RowsToRun(1).elementwise<nnrun_abs_s32>(g, 128); }},
      {"u8_to_s32 784", [](Guest& g) { RowsToRun(1).elementwise<nnrun_u8_to_s32>(g, 784); }},
      {"dot_s32 784", [](Guest& g) { RowsToRun(1).dot(g, 784); }},
  };
  return all;
}

// With vectors of so many bits, under qemu: of all functions but the worker's own.
std::uint64_t count_with_vectors(unsigned bits, const std::function<void(Guest&)>& run) {
  WorkerGuest guest(rv64_vector_file(), rv64_vector_kernels(), by_qemu(bits), NNRUN_COUNTER);
  run(guest);
  const std::vector<std::uint64_t> counts = guest.finish();
  const ElfFile& elf = rv64_vector_kernels();
  std::uint64_t all = 0;
  for (const Function& f : elf.functions) {
    if (f.name == "_start") continue;
    const auto begin = counts.begin() + static_cast<std::ptrdiff_t>((f.address - elf.code_address) / 2);
    all = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(f.size / 2), all);
  }
  return all;
}

template <class Counts>
std::vector<std::string> never_ran(CountTable& table, const ElfFile& elf, std::string_view listing, std::string_view skip,
                                   const Counts& counts) {
  table.set(true);
  table.add(counts);
  std::vector<std::string> lines;
  table.hand_over(elf, listing, skip, &lines, [](void* context, const nnrun_instruction_count* row) {
    if (row->count == 0) static_cast<std::vector<std::string>*>(context)->push_back(std::string(row->function) + ": " + row->text);
  });
  return lines;
}

// Every row, on shapes that reach every branch.
void run_all_rows(Guest& guest) {
  RowsToRun rows(7);
  for (const bool bias : {false, true}) {
    for (const auto& [r, features, depth] : {std::tuple{2, 7, 9}, {1, 4, 8}, {2, 1, 3}, {1, 5, 0}, {0, 5, 3}, {1, 0, 3}}) {
      rows.matmul<nnrun_matmul_q16>(guest, r, features, depth, bias);
      rows.matmul<nnrun_matmul_q16_low>(guest, r, features, depth, bias);
      rows.matmul<nnrun_matmul_s32>(guest, r, features, depth, bias);
      rows.matmul<nnrun_matmul_s8>(guest, r, features, depth, bias);
    }
    const nnrun_windows w = RowsToRun::windows(6, 5, 3, 2, 1);
    for (const std::int64_t groups : {1, 2}) {
      rows.conv2d<nnrun_conv2d_q16>(guest, w, 4, 6, groups, bias);
      rows.conv2d<nnrun_conv2d_q16_low>(guest, w, 4, 6, groups, bias);
      rows.conv2d<nnrun_conv2d_s32>(guest, w, 4, 6, groups, bias);
      rows.conv2d<nnrun_conv2d_s8>(guest, w, 4, 6, groups, bias);
    }
    rows.maxpool2d<nnrun_maxpool2d_s32>(guest, w, 4);
    rows.maxpool2d<nnrun_maxpool2d_u8>(guest, w, 4);
  }
  for (const std::int64_t count : {0, 9}) {
    rows.elementwise<nnrun_relu_s32>(guest, count);
    rows.elementwise<nnrun_abs_s32>(guest, count);
    rows.elementwise<nnrun_u8_to_s32>(guest, count);
    rows.dot(guest, count);
  }
  for (const bool per_column : {false, true}) {
    for (const std::int32_t shift : {0, 20, 31, 32, 50, 55}) rows.requantize(guest, 3, 21, per_column, shift);
    rows.requantize(guest, 3, 0, per_column, 1);
  }
  rows.argmax(guest, 3, 40);
  rows.argmax(guest, 2, 1);
  rows.argmax(guest, 20, 300);  // longer than a vector, the largest anywhere

  // Dimensions out of range.
  constexpr std::uint64_t minus_one = ~std::uint64_t{0};
  GuestMemory& memory = guest.memory();
  for (const char* matmul : {"matmul_q16", "matmul_q16_low", "matmul_s32", "matmul_s8"}) {
    for (int bad = 4; bad <= 6; ++bad) {
      std::uint64_t arguments[] = {0, 0, 0, 0, 1, 1, 1, 0};
      arguments[bad] = minus_one;
      CHECK(guest.call(matmul, arguments, 1000) == 1);
    }
  }
  const auto refuses = [&](const char* function, std::vector<std::uint64_t> arguments) {
    INFO(function);
    CHECK(guest.call(function, arguments, 1000) == 1);
  };
  refuses("relu_s32", {0, 0, minus_one});
  refuses("abs_s32", {0, 0, minus_one});
  refuses("u8_to_s32", {0, 0, minus_one, 1});
  refuses("argmax_s32", {0, 0, minus_one, 1});
  refuses("argmax_s32", {0, 0, 1, 0});
  refuses("dot_s32", {0, 0, minus_one, 1, 1, 0});
  refuses("dot_s32", {0, 0, 1, 0, 1, 0});
  refuses("dot_s32", {0, 0, 1, 1, 0, 0});
  refuses("requantize", {0, 0, 0, 0, minus_one, 1, 0});
  refuses("requantize", {0, 0, 0, 0, 1, minus_one, 0});
  for (const char* function : {"conv2d_q16", "conv2d_q16_low", "conv2d_s32", "conv2d_s8", "maxpool2d_s32", "maxpool2d_u8"}) {
    const bool pool = std::string(function).rfind("maxpool", 0) == 0;
    for (const std::size_t field : {0u, 5u, 6u, 13u, 14u, 15u}) {
      if (pool && field > 13) continue;
      std::vector<std::int64_t> fields(23, 1);
      fields[field] = -1;
      memory.clear();
      const std::uint64_t address = memory.allocate(fields.size() * guest.register_bytes());
      for (std::size_t i = 0; i < fields.size(); ++i) {
        std::memcpy(static_cast<unsigned char*>(memory.at(address)) + i * guest.register_bytes(), &fields[i], guest.register_bytes());
      }
      refuses(function, {address});
    }
  }
}

}  // namespace

TEST_CASE("instructions of the kernels are what tests/golden/instructions.json says") {
  UnicornGuest guest(rv32_kernels());
  std::map<std::string, std::uint64_t> counts;
  std::string text;
  const auto note = [&](const std::string& name, std::uint64_t count) {
    counts[name] = count;
    text += (text.empty() ? "{\n" : ",\n") + std::string("  \"") + name + "\": " + std::to_string(count);
  };
  for (const auto& [name, run] : measured()) {
    run(guest);
    note(name, guest.machine().instructions());
  }
  CHECK(counts["matmul_q16 128x784"] <= 800000);
  CHECK(counts["matmul_s8 128x784"] <= 370000);
  const std::vector<unsigned char> file = read_file(NNRUN_GOLDEN_INSTRUCTIONS);
  const std::string golden(file.begin(), file.end());
  if (!have_qemu()) {
    CHECK(text == golden.substr(0, text.size()));
    return;
  }
  for (const unsigned bits : {128u, 256u, 512u}) {
    for (const auto& [name, run] : measured()) {
      note(name + ", vectors of " + std::to_string(bits) + " bits", count_with_vectors(bits, run));
    }
  }
  CHECK(counts["matmul_s32 128x784, vectors of 256 bits"] <= 30000);
  text += "\n}\n";
  // Where a kernel was changed on purpose, this text is the new file.
  CHECK(text == golden);
}

TEST_CASE("no instruction of an RV32IM kernel is out of reach") {
  UnicornGuest guest(rv32_kernels());
  guest.machine().set_counting(true);
  run_all_rows(guest);
  CountTable table;
  CHECK(never_ran(table, rv32_kernels(), rv32_listing(), "kernel_end", guest.machine().take_counts()) == std::vector<std::string>{});
}

TEST_CASE("no instruction of a vector kernel is out of reach") {
  if (!have_qemu()) return;
  WorkerGuest guest(rv64_vector_file(), rv64_vector_kernels(), by_qemu(128), NNRUN_COUNTER);
  CHECK(guest.call("vector_bytes", {}, 0) == 16);
  run_all_rows(guest);
  CountTable table;
  CHECK(never_ran(table, rv64_vector_kernels(), rv64_vector_listing(), "_start", guest.finish()) == std::vector<std::string>{});
}
