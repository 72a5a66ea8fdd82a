// A dense layer whose weights no L2 cache holds: it takes them block by block, and hands its gradient over without storing it.
#include "helpers.hpp"
#include "net/update.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;

namespace {

// 2048 inputs, a multiple of a page, are copied out of each other's way; 2051 are not, and leave a shorter last block.
struct Case {
  std::int64_t inputs, units;
};
constexpr Case cases[] = {{2048, 160}, {2051, 160}, {4096, 100}};
constexpr std::int64_t batch = 5;

std::string yaml(const Case& c) {
  return "model:\n  input: [" + std::to_string(c.inputs) + "]\n  layers:\n    - variable\n    - dense: {units: " + std::to_string(c.units) +
         "}\ntrain: {optimizer: {sgd: {learning_rate: 0.1}}}\n";
}

void fill_weights(Net& net) {
  std::mt19937 random(7);
  for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) {
    fill(net.parameters().weight(slot), random_numbers(static_cast<std::size_t>(net.parameters().weight_slots()[slot].count), random));
  }
}

// A step of gradient descent. Returns all weights behind it.
std::vector<float> weights_after_step(const Case& c, const UpdateOptions& options, int threads) {
  const auto environment = make_environment(yaml(c), {"run.threads=" + std::to_string(threads)});
  Net net(*environment, batch);
  Updater updater(*environment->settings().train.optimizer, environment->host(), net.parameters(), options);
  fill_weights(net);
  nnrun_progress progress{};
  progress.size = sizeof progress;
  progress.epochs = progress.steps_per_epoch = 1;
  updater.begin(progress);
  net.forward();
  std::mt19937 random(9);
  fill(static_cast<float*>(net.network.output_gradient().data), random_numbers(static_cast<std::size_t>(batch * c.units), random));
  net.network.backward(0, &updater);
  updater.end_batch(batch);
  updater.finish();
  REQUIRE_FALSE(updater.not_finite().has_value());
  const auto flat = net.parameters().flat_weights();
  return {flat.begin(), flat.end()};
}

}  // namespace

TEST_CASE("gradients of a large dense layer are those of the formula") {
  for (const Case& c : cases) {
    INFO(c.inputs << " inputs, " << c.units << " units");
    const auto environment = make_environment(yaml(c), {"run.threads=2"});
    Net net(*environment, batch);
    fill_weights(net);
    net.forward();
    std::mt19937 random(9);
    const auto dy = random_numbers(static_cast<std::size_t>(batch * c.units), random);
    net.backward(dy);
    const float *x = net.parameters().weight(0), *w = net.parameters().weight(1);
    const std::vector<float> dx = net.gradient(0), dw = net.gradient(1), db = net.gradient(2);
    const auto at = [](std::int64_t row, std::int64_t columns, std::int64_t column) {
      return static_cast<std::size_t>(row * columns + column);
    };
    double worst = 0;
    const auto compare = [&](double got, double expected) { worst = std::max(worst, std::abs(got - expected)); };
    for (std::int64_t i = 0; i < c.inputs; ++i) {
      for (std::int64_t n = 0; n < batch; ++n) {
        double sum = 0;
        for (std::int64_t u = 0; u < c.units; ++u)
          sum += static_cast<double>(dy[at(n, c.units, u)]) * static_cast<double>(w[at(i, c.units, u)]);
        compare(static_cast<double>(dx[at(n, c.inputs, i)]), sum);
      }
      for (std::int64_t u = 0; u < c.units; ++u) {
        double sum = 0;
        for (std::int64_t n = 0; n < batch; ++n)
          sum += static_cast<double>(x[at(n, c.inputs, i)]) * static_cast<double>(dy[at(n, c.units, u)]);
        compare(static_cast<double>(dw[at(i, c.units, u)]), sum);
      }
    }
    for (std::int64_t u = 0; u < c.units; ++u) {
      double sum = 0;
      for (std::int64_t n = 0; n < batch; ++n) sum += static_cast<double>(dy[at(n, c.units, u)]);
      compare(static_cast<double>(db[at(0, c.units, u)]), sum);
    }
    CHECK(worst < 3e-5);  // of sums of up to 160 products of numbers up to 1
  }
}

TEST_CASE("a large dense layer steps to the same bits at once or behind the backward pass, with any number of threads") {
  for (const Case& c : cases) {
    INFO(c.inputs << " inputs, " << c.units << " units");
    const std::vector<float> at_once = weights_after_step(c, {}, 1);
    CHECK(at_once == weights_after_step(c, {}, 3));
    // A norm that no gradient has: nothing is scaled, but the optimizer waits for all of them.
    CHECK(at_once == weights_after_step(c, {1e30, 1}, 2));
  }
}
