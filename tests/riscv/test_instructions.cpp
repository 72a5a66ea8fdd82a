// How many instructions the kernels take for the largest product of the MNIST net.
#include "engine/unicorn_guest.hpp"
#include "image.hpp"
#include "rows.hpp"

#include <catch2/catch.hpp>

using namespace nnrun_riscv;

namespace {

template <class Arguments, class X, class Weights>
std::uint64_t instructions_of_product() {
  UnicornGuest guest(rv32_kernels());
  const std::vector<X> x(784, 3);
  const std::vector<Weights> weights(784 * 128, 2);
  const std::vector<std::int32_t> bias(128, 1);
  std::vector<std::int32_t> y(128);
  Arguments a{};
  a.rows = 1;
  a.features = 128;
  a.depth = 784;
  a.has_bias = 1;
  a.x = x.data();
  a.weights = weights.data();
  a.bias = bias.data();
  a.y = y.data();
  run_row(guest, a, 0);
  return guest.machine().instructions();
}

}  // namespace

TEST_CASE("instructions of the 128 x 784 product") {
  CHECK(instructions_of_product<nnrun_matmul_q16, std::int32_t, std::int32_t>() <= 800000);
  CHECK(instructions_of_product<nnrun_matmul_q16_low, std::int32_t, std::int32_t>() <= 480000);
  CHECK(instructions_of_product<nnrun_matmul_s32, std::int32_t, std::int32_t>() <= 370000);
  CHECK(instructions_of_product<nnrun_matmul_s8, std::uint8_t, std::int8_t>() <= 370000);
}
