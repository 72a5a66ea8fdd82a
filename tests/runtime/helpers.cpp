#include "helpers.hpp"

#include <nnrun/plugin.hpp>

#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nnrun::test {

std::unique_ptr<core::Environment> make_environment(const std::string& yaml, const std::vector<std::string>& overrides) {
  core::EnvironmentOptions options;
  options.plugin_folders = {NNRUN_PLUGIN_DIR, NNRUN_TEST_PLUGIN_DIR};
  return std::make_unique<core::Environment>(core::config_from_text("test.yaml", yaml, overrides), options);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "nnrun_test_XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Net::Net(const core::Environment& environment, std::int64_t batch, bool training)
    : network(environment.settings().model, environment.host(),
              core::batch_of(make_tensor(NNRUN_F32, environment.settings().model.input), batch), training, environment.settings().seed) {
  network.initialize_parameters();
  network.parameters()->add_training_memory({});
}

void Net::backward(std::span<const float> dy) {
  fill(static_cast<float*>(network.output_gradient().data), dy);
  network.backward(step, nullptr);
}

std::vector<float> Net::output() const {
  const auto y = Tensor(network.output()).span();
  return {y.begin(), y.end()};
}

std::vector<float> Net::gradient(std::size_t slot) {
  const float* g = parameters().gradient(slot);
  return {g, g + parameters().weight_slots()[slot].count};
}

double Net::weighted_output(std::span<const float> r) {
  forward();
  const auto y = Tensor(network.output()).span();
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(y[i]) * static_cast<double>(r[i]);
  return sum;
}

std::vector<float> random_numbers(std::size_t count, std::mt19937& random, float low, float high) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = uniform(random);
  return numbers;
}

void fill(float* to, std::span<const float> from) { std::copy(from.begin(), from.end(), to); }

double directional_derivative(Net& net, std::size_t slot, std::span<const float> direction, std::span<const float> r, double step) {
  float* weight = net.parameters().weight(slot);
  const std::vector<float> before(weight, weight + net.parameters().weight_slots()[slot].count);
  const auto at = [&](double distance) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      weight[i] = static_cast<float>(static_cast<double>(before[i]) + distance * static_cast<double>(direction[i]));
    }
    return net.weighted_output(r);
  };
  const double derivative = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
  fill(weight, before);
  return derivative;
}

void check_gradients(Net& net, std::mt19937& random, double step, double tolerance) {
  net.forward();
  const std::vector<float> r = random_numbers(net.output().size(), random);
  net.backward(r);
  std::vector<std::vector<float>> gradients;
  for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) gradients.push_back(net.gradient(slot));
  for (std::size_t slot = 0; slot < gradients.size(); ++slot) {
    const std::vector<float> direction = random_numbers(gradients[slot].size(), random);
    double expected = 0, size = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      const double term = static_cast<double>(gradients[slot][i]) * static_cast<double>(direction[i]);
      expected += term;
      size += term * term;
    }
    const double got = directional_derivative(net, slot, direction, r, step);
    if (!(std::abs(got - expected) <= tolerance * std::max(1.0, std::sqrt(size)))) {
      throw std::runtime_error("gradient of " + net.parameters().weight_slots()[slot].name + " is " + std::to_string(expected) +
                               " along a direction; finite differences say " + std::to_string(got));
    }
  }
}

}  // namespace nnrun::test
