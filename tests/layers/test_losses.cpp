// Gradients of every registered loss beside finite differences.
#include "registered.hpp"

#include "training/evaluation.hpp"

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
  bool mixed = false;  // labels are distributions over the classes
};

// Labels and outputs that a loss may want: classes with an output each, two classes with one output, numbers.
std::vector<Targets> kinds_of_targets(std::int64_t n) { return {{n + 1, n + 1}, {2, 1}, {0, n}, {n + 1, n + 1, true}, {2, 1, true}}; }

// Labels of a batch with their memory.
struct Labels {
  Labels(const Targets& targets, std::int64_t batch, std::mt19937& random) {
    const auto rows = static_cast<std::size_t>(batch);
    if (targets.mixed) {
      numbers = random_numbers(rows * static_cast<std::size_t>(targets.classes), random, 0.05f, 1);
      const auto columns = static_cast<std::size_t>(targets.classes);
      for (std::size_t i = 0; i < rows; ++i) {
        float sum = 0;
        for (std::size_t j = 0; j < columns; ++j) sum += numbers[i * columns + j];
        for (std::size_t j = 0; j < columns; ++j) numbers[i * columns + j] /= sum;
      }
      tensor = make_tensor(NNRUN_F32, Shape{batch, targets.classes}, numbers.data());
    } else if (targets.classes > 0) {
      classes.resize(rows);
      for (auto& label : classes) label = static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(targets.classes));
      tensor = make_tensor(NNRUN_S32, Shape{batch}, classes.data());
    } else {
      // Between the outputs, so that no difference is zero.
      numbers = spread_numbers(rows * static_cast<std::size_t>(targets.outputs), random, 0.05f);
      for (float& number : numbers) number += 0.025f;
      tensor = make_tensor(NNRUN_F32, Shape{batch, targets.outputs}, numbers.data());
    }
  }

  std::vector<float> numbers;
  std::vector<std::int32_t> classes;
  nnrun_tensor tensor{};
};

std::unique_ptr<LossFunction> make_loss(const Environment& environment, const nnrun_tensor& output, const Targets& targets) {
  return std::make_unique<LossFunction>(*environment.settings().train.loss, environment.host(), output, targets.classes,
                                        targets.classes > 0 ? 0 : targets.outputs);
}

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
      const Targets targets = kinds_of_targets(static_cast<std::int64_t>(1 + random() % 12))[static_cast<std::size_t>(round % 5)];
      INFO(loss << ", " << targets.classes << " classes" << (targets.mixed ? ", mixed, " : ", ") << batch << " x " << targets.outputs
                << " outputs");
      const auto count = static_cast<std::size_t>(batch * targets.outputs);
      std::vector<float> x = spread_numbers(count, random, 0.05f), dx(count);
      const Shape shape{batch, targets.outputs};
      const nnrun_tensor output = make_tensor(NNRUN_F32, shape, x.data());
      const nnrun_tensor gradient = make_tensor(NNRUN_F32, shape, dx.data());
      const Labels labels(targets, batch, random);
      std::unique_ptr<LossFunction> function;
      try {
        function = make_loss(*environment, output, targets);
      } catch (const DiagnosticError&) {
        continue;
      }
      if (function->outputs() == NNRUN_OUTPUTS_PROBABILITIES) {
        for (float& number : x) number = 0.5f + 0.3f * std::tanh(number);
      }
      const auto mean = [&] { return function->run(output, labels.tensor, nullptr) / static_cast<double>(batch); };
      const double value = function->run(output, labels.tensor, &gradient) / static_cast<double>(batch);
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
        for (std::size_t i = 0; i < count; ++i)
          x[i] = static_cast<float>(static_cast<double>(before[i]) + distance * static_cast<double>(direction[i]));
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
    const auto environment =
        make_environment("model: {input: [3], layers: [flatten]}\ntrain: {loss: " + config_of(*component, parameters) + "}\n");
    for (const Targets targets : kinds_of_targets(2)) {
      for (const float size : {0.0f, 1e4f, -1e4f}) {
        INFO(component->name << ", outputs " << size);
        std::vector<float> x(static_cast<std::size_t>(2 * targets.outputs), 0.0f), dx = x, numbers = x;
        x[0] = size;
        const Shape shape{2, targets.outputs};
        const nnrun_tensor output = make_tensor(NNRUN_F32, shape, x.data()), gradient = make_tensor(NNRUN_F32, shape, dx.data());
        std::mt19937 random(1);
        const Labels labels(targets, 2, random);
        std::unique_ptr<LossFunction> function;
        try {
          function = make_loss(*environment, output, targets);
        } catch (const DiagnosticError&) {
          continue;
        }
        if (function->outputs() == NNRUN_OUTPUTS_PROBABILITIES) {
          for (float& number : x) number = number > 0 ? 1.0f : 0.0f;
        }
        CHECK(std::isfinite(function->run(output, labels.tensor, &gradient)));
        for (const float g : dx) CHECK(std::isfinite(g));
      }
    }
  }
}

TEST_CASE("a distribution that is all on one class gives what the label gives") {
  for (const auto& [component, plugin] : registry().components("loss")) {
    const auto environment =
        make_environment("model: {input: [3], layers: [flatten]}\ntrain: {loss: " + config_of(*component, parameters) + "}\n");
    for (const Targets targets : {Targets{4, 4}, Targets{2, 1}}) {
      INFO(component->name << ", " << targets.classes << " classes");
      constexpr std::int64_t batch = 9;
      std::mt19937 random(5);
      std::vector<float> x = random_numbers(static_cast<std::size_t>(batch * targets.outputs), random, 0.1f, 0.9f), dx = x, mixed_dx = x;
      const Shape shape{batch, targets.outputs};
      const nnrun_tensor output = make_tensor(NNRUN_F32, shape, x.data()), gradient = make_tensor(NNRUN_F32, shape, dx.data()),
                         mixed_gradient = make_tensor(NNRUN_F32, shape, mixed_dx.data());
      const Labels labels(targets, batch, random);
      std::vector<float> shares(static_cast<std::size_t>(batch * targets.classes), 0.0f);
      for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i) {
        shares[i * static_cast<std::size_t>(targets.classes) + static_cast<std::size_t>(labels.classes[i])] = 1;
      }
      std::unique_ptr<LossFunction> function;
      try {
        function = make_loss(*environment, output, targets);
      } catch (const DiagnosticError&) {
        continue;
      }
      const double value = function->run(output, labels.tensor, &gradient);
      const double mixed = function->run(output, make_tensor(NNRUN_F32, Shape{batch, targets.classes}, shares.data()), &mixed_gradient);
      CHECK(mixed == Approx(value).epsilon(1e-6));
      for (std::size_t i = 0; i < dx.size(); ++i) CHECK(mixed_dx[i] == Approx(dx[i]).margin(1e-7));
    }
  }
}
