// A convolution or batch norm that takes over the ReLU and the max-pool behind it answers as the three do one after the other.
#include "helpers.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace nnrun;
using namespace nnrun::core;
using nnrun::test::make_environment;
using nnrun::test::Net;
using nnrun::test::random_numbers;

namespace {

std::string config(const std::string& input, const std::vector<std::string>& layers, const std::string& between) {
  std::string yaml = "model:\n  input: " + input + "\n  layers:\n";
  for (const std::string& layer : layers) {
    yaml += "    - " + layer + "\n";
    if (!between.empty()) yaml += "    - " + between + "\n";
  }
  return yaml;
}

// ||a - b|| / ||b||: a tie that rounding breaks in another way moves one number, not the norm.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double apart = 0, length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    length += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(apart / std::max(length, 1e-30));
}

struct Case {
  std::string input;
  std::vector<std::string> layers;
  std::size_t fused;  // layers that are left
};

const Case cases[] = {
    {"[16, 12, 3]",
     {"conv2d: {filters: 16, kernel: 3, padding: same}", "relu", "maxpool2d: {size: 2}", "conv2d: {filters: 20, kernel: 3, padding: same}",
      "relu", "maxpool2d: {size: 2}", "flatten", "dense: {units: 3}"},
     4},
    {"[13, 15, 17]", {"conv2d: {filters: 33, kernel: 3, padding: 1}", "maxpool2d: {size: [2, 2], stride: 2}"}, 1},
    {"[9, 14, 4]",
     {"conv2d: {filters: 6, kernel: [1, 2], stride: [1, 2], groups: 2}", "relu", "maxpool2d: {size: 2, stride: size, padding: valid}",
      "conv2d: {filters: 5, kernel: 2, dilation: 2, bias: false}", "relu"},
     2},
    {"[20, 20, 16]",
     {"conv2d: {filters: 16, kernel: 3}", "relu", "maxpool2d: {size: 2}", "conv2d: {filters: 70, kernel: 3, padding: 2, bias: false}",
      "relu", "maxpool2d: {size: 2}"},
     2},
    {"[16, 12, 3]",
     {"conv2d: {filters: 20, kernel: 3, padding: same, bias: false}", "batchnorm", "relu", "maxpool2d: {size: 2}",
      "conv2d: {filters: 7, kernel: 3, bias: false}", "batchnorm", "relu", "conv2d: {filters: 4, kernel: 1, bias: false}", "batchnorm",
      "maxpool2d: {size: 2}"},
     6},
    {"[9, 5, 33]", {"batchnorm", "relu", "maxpool2d: {size: 2}", "flatten", "dense: {units: 3}"}, 3},
};

}  // namespace

TEST_CASE("a fused convolution or batch norm answers as its parts do") {
  for (const Case& c : cases) {
    for (const std::string kernels : {"auto", "scalar", "avx2"}) {
      for (const std::string exact : {"false", "true"}) {
        const std::vector<std::string> words{"run.kernels=" + kernels, "run.exact=" + exact, "run.threads=2"};
        std::shared_ptr<Environment> fused_environment, apart_environment;
        try {
          fused_environment = make_environment(config(c.input, c.layers, ""), words);
          apart_environment = make_environment(config(c.input, c.layers, "copy"), words);
        } catch (const DiagnosticError&) {
          WARN("kernels '" << kernels << "' are not tested: this machine lacks them");
          continue;
        }
        INFO(c.input << " with kernels " << kernels << ", exact " << exact);
        Net fused(*fused_environment, 5), apart(*apart_environment, 5);
        REQUIRE(fused.network.plan().layers.size() == c.fused);
        REQUIRE(apart.network.plan().layers.size() == 2 * c.layers.size());
        std::mt19937 random(11);
        for (std::size_t slot = 0; slot < fused.parameters().weight_slots().size(); ++slot) {
          const auto values = random_numbers(static_cast<std::size_t>(fused.parameters().weight_slots()[slot].count), random);
          test::fill(fused.parameters().weight(slot), values);
          test::fill(apart.parameters().weight(slot), values);
        }
        for (const std::int64_t batch : {5, 2}) {
          const auto x = random_numbers(static_cast<std::size_t>(Tensor(fused.network.input()).count()), random);
          for (Net* net : {&fused, &apart}) {
            net->network.set_batch(batch);
            std::copy_n(x.begin(), Tensor(net->network.input()).count(), static_cast<float*>(net->network.input().data));
            net->forward();
          }
          CHECK(distance(fused.output(), apart.output()) < 1e-5);
          for (std::size_t slot = 0; slot < fused.parameters().state_slots().size(); ++slot) {
            const auto values = [&](Net& net) {
              const float* begin = net.parameters().state(slot);
              return std::vector<float>(begin, begin + fused.parameters().state_slots()[slot].count);
            };
            CHECK(distance(values(fused), values(apart)) < 1e-5);
          }
          const auto dy = random_numbers(fused.output().size(), random);
          fused.backward(dy);
          apart.backward(dy);
          for (std::size_t slot = 0; slot < fused.parameters().weight_slots().size(); ++slot) {
            INFO(fused.parameters().weight_slots()[slot].name);
            CHECK(distance(fused.gradient(slot), apart.gradient(slot)) < 2e-5);
          }
        }
      }
    }
  }
}

TEST_CASE("a frozen batch norm answers the same with what it takes over, and hands on the same gradient") {
  const auto yaml = [](const std::string& behind, const std::string& between) {
    return "model:\n  input: [7, 6, 3]\n  layers:\n    - conv2d: {filters: 5, kernel: 3, padding: same}\n    - copy\n    - batchnorm: "
           "{}\n" +
           std::string("      freeze: true\n") + between + behind;
  };
  const std::string pool = "    - maxpool2d: {size: 2}\n", relu = "    - relu\n", copy = "    - copy\n";
  for (const std::string& behind : {relu, pool, relu + pool}) {
    const auto fused_environment = make_environment(yaml(behind, "")), apart_environment = make_environment(yaml(behind, copy));
    Net fused(*fused_environment, 4), apart(*apart_environment, 4);
    REQUIRE(fused.network.plan().layers.size() == 3);
    REQUIRE(apart.network.plan().layers.size() > 4);
    std::mt19937 random(12);
    for (Net* net : {&fused, &apart}) net->network.initialize_parameters();
    for (std::size_t slot = 0; slot < fused.parameters().state_slots().size(); ++slot) {
      auto values = random_numbers(5, random);
      for (float& value : values) value = std::abs(value) + 0.1f;
      for (Net* net : {&fused, &apart}) std::copy(values.begin(), values.end(), net->parameters().state(slot));
    }
    const auto x = random_numbers(static_cast<std::size_t>(Tensor(fused.network.input()).count()), random);
    for (Net* net : {&fused, &apart}) {
      std::copy(x.begin(), x.end(), static_cast<float*>(net->network.input().data));
      net->forward();
    }
    CHECK(distance(fused.output(), apart.output()) < 1e-6);
    const auto dy = random_numbers(fused.output().size(), random);
    fused.backward(dy);
    apart.backward(dy);
    CHECK(distance(fused.gradient(0), apart.gradient(0)) < 1e-5);
    CHECK(distance(std::vector<float>(fused.gradient(0).size(), 0.0f), fused.gradient(0)) == 1);  // not all zero
  }
}

TEST_CASE("only the pool of 2 x 2, side by side, is taken over, and what others refer to is kept") {
  const auto layers_of = [](const std::string& pool) {
    const auto environment = make_environment(config("[12, 12, 3]", {"conv2d: {filters: 4, kernel: 3}", "relu", pool}, ""));
    return Net(*environment, 2).network.plan().layers.size();
  };
  CHECK(layers_of("maxpool2d: {size: 2}") == 1);
  CHECK(layers_of("maxpool2d: {size: 2, padding: 0}") == 1);
  CHECK(layers_of("maxpool2d: {size: 3}") == 2);
  CHECK(layers_of("maxpool2d: {size: 2, stride: 1}") == 2);
  CHECK(layers_of("maxpool2d: {size: [2, 3]}") == 2);
  CHECK(layers_of("maxpool2d: {size: 2, padding: same}") == 2);
  CHECK(layers_of("avgpool2d: {size: 2}") == 2);
  const auto named = make_environment(
      "model:\n  input: [8, 8, 2]\n  layers:\n    - conv2d: {filters: 2, kernel: 3, padding: same}\n    - relu: {}\n      name: before\n"
      "    - maxpool2d: {size: 2, stride: 1, padding: same}\n    - add_reference: {with: before}\n");
  CHECK(Net(*named, 2).network.plan().layers.size() == 3);
}

TEST_CASE("a convolution or batch norm that is too small for the pool behind it says so") {
  const auto environment = make_environment(config("[3, 4, 2]", {"conv2d: {filters: 2, kernel: 3}", "maxpool2d: {size: 2}"}, ""));
  CHECK_THROWS_WITH(Net(*environment, 2), Catch::Contains("1 x 2 is too small for the 2 x 2 windows of the max-pool"));
  const auto narrow = make_environment(config("[3, 1, 2]", {"batchnorm", "maxpool2d: {size: 2}"}, ""));
  CHECK_THROWS_WITH(Net(*narrow, 2), Catch::Contains("3 x 1 is too small for the 2 x 2 windows of the max-pool"));
  const auto flat = make_environment(config("[3]", {"batchnorm", "maxpool2d: {size: 2}"}, ""));
  CHECK_THROWS_WITH(Net(*flat, 2), Catch::Contains("the max-pool behind it takes pictures, (N, height, width, channels), got (2, 3)"));
}
