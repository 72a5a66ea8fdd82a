// Batch norm folded into the weights before it, beside the two apart.
#include "helpers.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <set>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;

namespace {

Network make_network(const Environment& environment, std::shared_ptr<Parameters> parameters, bool fold) {
  return Network(environment.settings().model, environment.host(), batch_of(make_tensor(NNRUN_F32, environment.settings().model.input), 3),
                 false, environment.settings().seed, std::move(parameters), {.fold = fold});
}

std::string config(const std::string& input, const std::vector<std::string>& layers) {
  // Within rounding: no kernels with bounds of their own.
  std::string text = "run: {exact: true}\nmodel:\n  input: " + input + "\n  layers:\n";
  for (const std::string& layer : layers) text += "    - " + layer + "\n";
  return text;
}

struct Case {
  std::string input;
  std::vector<std::string> layers;
  std::size_t folded;  // layers that run
  double terms;        // that one output adds up
};

const std::vector<Case> cases = {
    {"[9, 7, 5]", {"conv2d: {filters: 6, kernel: 3, padding: same}", "batchnorm"}, 1, 45},
    {"[9, 7, 5]", {"conv2d: {filters: 6, kernel: 3, padding: same, bias: false}", "batchnorm: {epsilon: 0.1}"}, 1, 45},
    {"[9, 7, 6]", {"conv2d: {filters: 4, kernel: [1, 3], stride: 2, groups: 2}", "batchnorm", "relu"}, 1, 9},
    {"[8, 8, 6]", {"conv2d: {filters: 6, kernel: 3, groups: 6, bias: false}", "batchnorm", "relu"}, 1, 9},
    {"[8, 8, 3]", {"conv2d: {filters: 20, kernel: 3, padding: same}", "batchnorm", "relu", "maxpool2d: {size: 2}"}, 1, 27},
    {"[70]", {"dense: {units: 33}", "batchnorm"}, 1, 70},
    {"[70]", {"dense: {units: 33, bias: false}", "batchnorm", "relu"}, 1, 70},
    // Nothing to fold into, or nothing to fold.
    {"[70]", {"dense: {units: 33}", "relu", "batchnorm"}, 2, 70},
    {"[70]", {"batchnorm", "dense: {units: 33}"}, 2, 70},
};

void fill_at_random(Parameters& parameters, std::mt19937& random) {
  for (float& weight : parameters.flat_weights()) weight = random_numbers(1, random)[0];
  for (std::size_t i = 0; i < parameters.state_slots().size(); ++i) {
    const bool is_variance = parameters.state_slots()[i].name.ends_with("variance");
    const auto count = static_cast<std::size_t>(parameters.state_slots()[i].count);
    fill(parameters.state(i), is_variance ? random_numbers(count, random, 0.01f, 2) : random_numbers(count, random));
  }
}

std::vector<float> forward(Network& network, const std::vector<float>& x) {
  fill(static_cast<float*>(network.input().data), x);
  network.parameters_changed();
  network.forward(0);
  const std::span<float> y = Tensor(network.output()).span();
  return {y.begin(), y.end()};
}

}  // namespace

TEST_CASE("a folded batch norm gives what the layers give apart, but for rounding") {
  std::mt19937 random(5);
  for (const Case& tested : cases) {
    INFO(config(tested.input, tested.layers));
    const auto environment = make_environment(config(tested.input, tested.layers));
    const auto parameters = Net(*environment, 3).network.parameters();
    Network apart = make_network(*environment, parameters, false), folded = make_network(*environment, parameters, true);
    REQUIRE(folded.plan().layers.size() == tested.folded);
    REQUIRE(apart.plan().layers.size() >= 2);

    fill_at_random(*parameters, random);
    const auto weights = parameters->copy();
    const auto x = random_numbers(static_cast<std::size_t>(Tensor(apart.input()).count()), random);
    const std::vector<float> expected = forward(apart, x), got = forward(folded, x);
    CHECK(parameters->copy() == weights);

    // The same of absolute values, the means' sign turned: the size of the terms that each output adds up.
    for (float& weight : parameters->flat_weights()) weight = std::abs(weight);
    for (std::size_t i = 0; i < parameters->state_slots().size(); ++i) {
      const bool is_mean = parameters->state_slots()[i].name.ends_with("mean");
      for (std::int64_t k = 0; is_mean && k < parameters->state_slots()[i].count; ++k)
        parameters->state(i)[k] = -std::abs(parameters->state(i)[k]);
    }
    std::vector<float> sizes = x;
    for (float& number : sizes) number = std::abs(number);
    sizes = forward(apart, sizes);

    // Each side is off by at most a rounding a term, and a few for the scale: (n + 8) * 2^-24 of that size.
    const double bound = 2 * (tested.terms + 8) * std::ldexp(1.0, -24);
    REQUIRE(expected.size() == got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i])) <= bound * static_cast<double>(sizes[i]));
    }
    const std::set<float> different(got.begin(), got.end());
    CHECK(different.size() > 5);
  }
}

TEST_CASE("weights are folded anew when they have changed") {
  const auto environment = make_environment(config("[4]", {"dense: {units: 2}", "batchnorm"}));
  const auto parameters = Net(*environment, 3).network.parameters();
  std::mt19937 random(6);
  fill_at_random(*parameters, random);
  Network folded = make_network(*environment, parameters, true), apart = make_network(*environment, parameters, false);
  const auto x = random_numbers(12, random);
  const auto first = forward(folded, x);
  fill_at_random(*parameters, random);
  const auto second = forward(folded, x), expected = forward(apart, x);
  CHECK(first != second);
  for (std::size_t i = 0; i < second.size(); ++i) CHECK(second[i] == Approx(expected[i]).margin(1e-5));
}

TEST_CASE("training folds nothing, and both nets have the same parameters") {
  const auto environment =
      make_environment(config("[6, 6, 2]", {"conv2d: {filters: 3, kernel: 3}", "batchnorm", "relu", "flatten", "dense: {units: 2}"}));
  const Net trains(*environment, 3);
  CHECK(trains.network.plan().layers.size() == 4);  // only ReLU is taken over, by the batch norm
  Network folded = make_network(*environment, trains.network.parameters(), true);
  CHECK(folded.plan().layers.size() == 3);
  CHECK(folded.plan().layers[0].absorbed.size() == 2);
  const Network own = make_network(*environment, nullptr, true);
  const auto names = [](const Network& network) {
    std::vector<std::string> list;
    for (const Slot& slot : network.parameters()->weight_slots()) list.push_back(slot.name);
    for (const Slot& slot : network.parameters()->state_slots()) list.push_back(slot.name);
    return list;
  };
  CHECK(names(own) == names(trains.network));
  // They start alike, too.
  Network started = make_network(*environment, nullptr, true);
  started.initialize_parameters();
  const auto a = started.parameters()->copy(), b = trains.network.parameters()->copy();
  CHECK(a == b);
}
