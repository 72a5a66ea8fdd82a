// Layers one behind the other that go through the batch in slices answer to the bit as they do one after the other.
#include "helpers.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

using namespace nnrun;
using namespace nnrun::core;
using nnrun::test::make_environment;
using nnrun::test::Net;
using nnrun::test::random_numbers;

namespace {

const std::string convolutions = R"(model:
  input: [20, 24, 3]
  layers:
    - conv2d: {filters: 16, kernel: 3, padding: same}
    - relu
    - maxpool2d: {size: 2}
    - conv2d: {filters: 32, kernel: 3, padding: same}
    - relu
    - maxpool2d: {size: 2}
    - conv2d: {filters: 20, kernel: 3, padding: same}
    - relu
    - maxpool2d: {size: 2}
    - flatten
    - dense: {units: 3}
)";

// Chains begin with the batch norms, whose statistics go ahead.
const std::string normalised = R"(model:
  input: [32, 24, 3]
  layers:
    - conv2d: {filters: 20, kernel: 3, padding: same, bias: false}
    - batchnorm
    - relu
    - maxpool2d: {size: 2}
    - conv2d: {filters: 24, kernel: 3, padding: same, bias: false}
    - batchnorm
    - relu
    - conv2d: {filters: 16, kernel: 3, padding: same, bias: false}
    - batchnorm
    - relu
    - maxpool2d: {size: 2}
    - flatten
    - dense: {units: 3}
)";

const std::string ahead = R"(model:
  input: [5]
  layers:
    - dense: {units: 5}
    - sliced_double
    - ahead_double
    - sliced_double
    - ahead_double
    - ahead_double
)";

const std::string doubles = R"(model:
  input: [5]
  layers:
    - dense: {units: 5}
    - sliced_double
    - sliced_double
    - sliced_double
)";

// With one of these watching, layers run one after the other.
struct Nobody : LayerWatcher {
  void forward_done(std::size_t) override {}
  void backward_starts(std::size_t) override {}
  void backward_done(std::size_t) override {}
};

void check_same_bits(Net& sliced, Net& apart, std::int64_t batch, std::mt19937& random) {
  Nobody nobody;
  apart.network.watch(&nobody);
  const auto x = random_numbers(static_cast<std::size_t>(Tensor(sliced.network.input()).count()), random);
  for (Net* net : {&sliced, &apart}) {
    net->network.set_batch(batch);
    std::copy_n(x.begin(), Tensor(net->network.input()).count(), static_cast<float*>(net->network.input().data));
    net->forward();
  }
  CHECK(sliced.output() == apart.output());
  const auto dy = random_numbers(sliced.output().size(), random);
  sliced.backward(dy);
  apart.backward(dy);
  for (std::size_t slot = 0; slot < sliced.parameters().weight_slots().size(); ++slot) {
    INFO(sliced.parameters().weight_slots()[slot].name);
    CHECK(sliced.gradient(slot) == apart.gradient(slot));
  }
  apart.network.watch(nullptr);
}

}  // namespace

TEST_CASE("convolutions in slices give the same bits") {
  for (const std::string kernels : {"auto", "avx2"}) {
    for (const std::string threads : {"1", "2", "3"}) {
      std::shared_ptr<Environment> environment;
      try {
        environment = make_environment(convolutions, {"run.kernels=" + kernels, "run.threads=" + threads});
      } catch (const DiagnosticError&) {
        WARN("kernels '" << kernels << "' are not tested: this machine lacks them");
        continue;
      }
      INFO("kernels " << kernels << ", threads " << threads);
      Net sliced(*environment, 16), apart(*environment, 16);
      sliced.network.initialize_parameters();
      apart.network.initialize_parameters();
      const auto& chains = sliced.network.plan().forward_chains;
      REQUIRE(chains.size() == 1);
      CHECK(chains[0].last - chains[0].first == 2);
      std::mt19937 random(3);
      for (const std::int64_t batch : {16, 13, 8, 1}) check_same_bits(sliced, apart, batch, random);
    }
  }
}

TEST_CASE("batch norms whose statistics go ahead give the same bits") {
  for (const std::string kernels : {"auto", "avx2"}) {
    for (const std::string threads : {"1", "2", "3"}) {
      std::shared_ptr<Environment> environment;
      try {
        environment = make_environment(normalised, {"run.kernels=" + kernels, "run.threads=" + threads});
      } catch (const DiagnosticError&) {
        WARN("kernels '" << kernels << "' are not tested: this machine lacks them");
        continue;
      }
      INFO("kernels " << kernels << ", threads " << threads);
      Net sliced(*environment, 64), apart(*environment, 64);
      sliced.network.initialize_parameters();
      apart.network.initialize_parameters();
      const auto are_ahead = [](const std::vector<LayerChain>& chains) {
        return std::count_if(chains.begin(), chains.end(), [](const LayerChain& chain) { return chain.ahead; });
      };
      CHECK(are_ahead(sliced.network.plan().forward_chains) == 3);
      CHECK(are_ahead(sliced.network.plan().backward_chains) == 2);
      std::mt19937 random(3);
      for (const std::int64_t batch : {64, 61, 16, 3}) check_same_bits(sliced, apart, batch, random);
    }
  }
}

TEST_CASE("layers whose first part goes ahead are told so, and their scratch is theirs from there on") {
  for (const std::string threads : {"1", "2"}) {
    const auto environment = make_environment(ahead, {"run.threads=" + threads});
    Net sliced(*environment, 32), apart(*environment, 32);
    sliced.network.initialize_parameters();
    apart.network.initialize_parameters();
    const auto& chains = sliced.network.plan().forward_chains;
    REQUIRE(chains.size() == 4);
    CHECK((chains[0].alone() && chains[0].ahead));
    CHECK((!chains[1].alone() && chains[1].ahead));
    CHECK((chains[2].alone() && chains[2].ahead));
    CHECK((chains[3].alone() && !chains[3].ahead));
    std::mt19937 random(4);
    for (const std::int64_t batch : {32, 24, 7}) check_same_bits(sliced, apart, batch, random);
  }
}

TEST_CASE("what layers in slices have for themselves stays theirs") {
  const auto environment = make_environment(doubles, {"run.threads=2"});
  Net sliced(*environment, 32), apart(*environment, 32);
  sliced.network.initialize_parameters();
  apart.network.initialize_parameters();
  REQUIRE(sliced.network.plan().forward_chains.size() == 1);
  REQUIRE(sliced.network.plan().backward_chains.size() == 1);
  std::mt19937 random(4);
  for (const std::int64_t batch : {32, 24, 7}) check_same_bits(sliced, apart, batch, random);
}

TEST_CASE("a layer that fails in a slice is named") {
  const auto environment = make_environment(doubles, {"run.threads=2"});
  Net net(*environment, 16);
  net.network.initialize_parameters();
  std::fill_n(net.parameters().weight(0), 5 * 5, 1.0f);
  std::fill_n(static_cast<float*>(net.network.input().data), 16 * 5, 1e6f);
  CHECK_THROWS_WITH(net.forward(), Catch::Contains("sliced_double") && Catch::Contains("takes no values above 1000"));
}
