// The vector kernels in workers under qemu: RV32 beside RV64.
#include "by_qemu.hpp"
#include "engine/worker_guest.hpp"
#include "image.hpp"
#include "rows.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace nnrun_riscv;

TEST_CASE("the vector kernels are the same on RV32") {
  if (!have_qemu()) return;
  std::mt19937 random(1);
  WorkerGuest narrow(rv32_vector_file(), rv32_vector_kernels(), by_qemu(128));
  WorkerGuest wide(rv64_vector_file(), rv64_vector_kernels(), by_qemu(1024));
  for (int i = 0; i < 200; ++i) {
    const std::int64_t rows = random() % 4, features = random() % 10, depth = random() % 70;
    std::vector<std::int32_t> x(static_cast<std::size_t>(rows * depth)), weights(static_cast<std::size_t>(features * depth)),
        bias(static_cast<std::size_t>(features)), y(static_cast<std::size_t>(rows * features)), z(y.size());
    for (auto* values : {&x, &weights, &bias}) {
      for (std::int32_t& value : *values) value = static_cast<std::int32_t>(random());
    }
    nnrun_matmul_q16 a{};
    a.rows = rows;
    a.features = features;
    a.depth = depth;
    a.has_bias = 1;
    a.x = x.data();
    a.weights = weights.data();
    a.bias = bias.data();
    a.y = y.data();
    run_row(narrow, a, 0);
    a.y = z.data();
    run_row(wide, a, 0);
    CHECK(y == z);

    nnrun_requantize r{};
    std::vector<std::uint8_t> bytes(x.size()), other(x.size());
    std::vector<std::int32_t> multiplier(static_cast<std::size_t>(depth)), shift(multiplier.size());
    for (std::int32_t& m : multiplier) m = static_cast<std::int32_t>(random() >> 1);
    for (std::int32_t& s : shift) s = static_cast<std::int32_t>(random() % 63);
    r.rows = rows;
    r.columns = depth;
    r.per_column = 1;
    r.x = x.data();
    r.multiplier = multiplier.data();
    r.shift = shift.data();
    r.y = bytes.data();
    run_row(narrow, r, 0);
    r.y = other.data();
    run_row(wide, r, 0);
    CHECK(bytes == other);
  }
}
