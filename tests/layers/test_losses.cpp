// Gradients of every registered loss beside finite differences.
#include "registered.hpp"

#include "evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;

namespace {

// Parameters of losses that have required ones.
const std::map<std::string, std::string> parameters{};

constexpr double step = 5e-3;
constexpr double tolerance = 3e-3;
constexpr int shapes = 20;

struct Targets {
  std::int64_t classes, outputs;
};

// Labels and outputs that a loss may want: classes with an output each, two classes with one output, numbers.
std::vector<Targets> kinds_of_targets(std::int64_t n) { return {{n + 1, n + 1}, {2, 1}, {0, n}}; }

}  // namespace

TEST_CASE("gradients of every loss agree with finite differences") {
  const auto losses = registry().components("loss");
  REQUIRE_FALSE(losses.empty());
  for (const auto& [component, plugin] : losses) {
    const std::string loss = config_of(*component, parameters);
    const auto environment = make_environment("model: {input: [3], layers: [flatten]}\ntrain: {loss: " + loss + "}\nrun: {threads: 2}\n");
    std::mt19937 random(1);
    int checked = 0;
    for (int round = 0; checked < shapes && round < 50 * shapes; ++round) {
      const auto batch = static_cast<std::int64_t>(1 + random() % 9);
      const Targets targets = kinds_of_targets(static_cast<std::int64_t>(1 + random() % 12))[static_cast<std::size_t>(round % 3)];
      INFO(loss << ", " << targets.classes << " classes, " << batch << " x " << targets.outputs << " outputs");
      const auto count = static_cast<std::size_t>(batch * targets.outputs);
      std::vector<float> x = spread_numbers(count, random, 0.05f), dx(count);
      const Shape shape{batch, targets.outputs};
      const nnrun_tensor output = make_tensor(NNRUN_F32, shape, x.data());
      const nnrun_tensor gradient = make_tensor(NNRUN_F32, shape, dx.data());
      std::vector<std::int32_t> classes(static_cast<std::size_t>(batch));
      for (auto& label : classes) label = targets.classes > 0 ? static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(targets.classes)) : 0;
      // Between the outputs, so that no difference is zero.
      std::vector<float> numbers = spread_numbers(count, random, 0.05f);
      for (float& number : numbers) number += 0.025f;
      const nnrun_tensor labels =
          targets.classes > 0 ? make_tensor(NNRUN_S32, Shape{batch}, classes.data()) : make_tensor(NNRUN_F32, shape, numbers.data());
      std::unique_ptr<LossFunction> function;
      try {
        function = std::make_unique<LossFunction>(*environment->settings().train.loss, environment->host(), output, targets.classes);
      } catch (const DiagnosticError&) {
        continue;
      }
      const auto mean = [&] { return function->run(output, labels, nullptr) / static_cast<double>(batch); };
      const double value = function->run(output, labels, &gradient) / static_cast<double>(batch);
      REQUIRE(std::isfinite(value));
      CHECK(mean() == Approx(value).epsilon(1e-6));

      const std::vector<float> direction = random_numbers(count, random), before = x;
      double expected = 0, size = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const double term = static_cast<double>(dx[i]) * static_cast<double>(direction[i]);
        expected += term;
        size += term * term;
      }
      const auto at = [&](double distance) {
        for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<float>(static_cast<double>(before[i]) + distance * static_cast<double>(direction[i]));
        return mean();
      };
      const double got = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      CHECK(std::abs(got - expected) <= tolerance * std::max(1.0, std::sqrt(size)));
      ++checked;
    }
    INFO(loss << " took only " << checked << " kinds of targets");
    CHECK(checked == shapes);
  }
}

TEST_CASE("losses of hopeless and of perfect answers are finite") {
  for (const auto& [component, plugin] : registry().components("loss")) {
    const auto environment = make_environment("model: {input: [3], layers: [flatten]}\ntrain: {loss: " + config_of(*component, parameters) + "}\n");
    for (const Targets targets : kinds_of_targets(2)) {
      for (const float size : {0.0f, 1e4f, -1e4f}) {
        INFO(component->name << ", outputs " << size);
        std::vector<float> x(static_cast<std::size_t>(2 * targets.outputs), 0.0f), dx = x, numbers = x;
        x[0] = size;
        const Shape shape{2, targets.outputs};
        const nnrun_tensor output = make_tensor(NNRUN_F32, shape, x.data()), gradient = make_tensor(NNRUN_F32, shape, dx.data());
        std::vector<std::int32_t> classes{0, 1};
        const nnrun_tensor labels =
            targets.classes > 0 ? make_tensor(NNRUN_S32, Shape{2}, classes.data()) : make_tensor(NNRUN_F32, shape, numbers.data());
        try {
          LossFunction function(*environment->settings().train.loss, environment->host(), output, targets.classes);
          CHECK(std::isfinite(function.run(output, labels, &gradient)));
          for (const float g : dx) CHECK(std::isfinite(g));
        } catch (const DiagnosticError&) {
        }
      }
    }
  }
}
