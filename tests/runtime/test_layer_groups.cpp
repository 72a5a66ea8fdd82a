// `repeat` and `residual` in model.layers, with real layers.
#include "helpers.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;

namespace {

std::vector<std::string> weight_names(const Net& net) {
  std::vector<std::string> names;
  for (const Slot& slot : net.network.parameters()->weight_slots()) names.push_back(slot.name);
  return names;
}

// Weights, output and gradients: all from the seed.
struct Result {
  std::vector<float> weights, output;
  std::vector<std::vector<float>> gradients;
  bool operator==(const Result&) const = default;
};

Result run(const std::string& yaml) {
  const auto environment = make_environment(yaml);
  Net net(*environment, 3);
  const std::span<float> weights = net.parameters().flat_weights();
  Result result{{weights.begin(), weights.end()}, {}, {}};
  std::mt19937 random(4);
  const auto inputs = static_cast<std::size_t>(Tensor(net.network.input()).count());
  fill(static_cast<float*>(net.network.input().data), random_numbers(inputs, random));
  net.forward();
  result.output = net.output();
  net.backward(random_numbers(result.output.size(), random));
  for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) result.gradients.push_back(net.gradient(slot));
  return result;
}

std::string complaint(const std::string& yaml) {
  try {
    const auto environment = make_environment(yaml);
    Net net(*environment, 3);
  } catch (const DiagnosticError& e) {
    return e.what();
  }
  return "none";
}

constexpr const char* grouped = R"(
model:
  input: [6]
  layers:
    - flatten
    - residual: {layers: [{dense: {units: 6}}, tanh]}
    - repeat:
        times: 2
        layers:
          - dense: {units: 6}
            name: body
          - relu
          - residual:
              layers:
                - dense: {units: 5}
                - relu
              shortcut: [{dense: {units: 5}}]
            name: block
          - dense: {units: 6}
          - repeat: {times: 2, layers: [{dense: {units: 6}, name: inner}, {add: {with: body}}]}
    - add: {with: inner-1-2}
    - dense: {units: 2}
)";

// plain() without groups: one list has no second branch.
constexpr const char* written_out = R"(
model:
  input: [6]
  layers:
    - flatten: {}
      name: start
    - dense: {units: 6}
    - tanh
    - add: {with: start}
    - dense: {units: 6}
      name: body-1
    - relu: {}
      name: before-1
    - dense: {units: 6}
    - relu
    - add: {with: before-1}
      name: block-1
    - dense: {units: 6}
    - dense: {units: 6}
      name: inner-1-1
    - add: {with: body-1}
    - dense: {units: 6}
      name: inner-1-2
    - add: {with: body-1}
    - dense: {units: 6}
      name: body-2
    - relu: {}
      name: before-2
    - dense: {units: 6}
    - relu
    - add: {with: before-2}
      name: block-2
    - dense: {units: 6}
    - dense: {units: 6}
      name: inner-2-1
    - add: {with: body-2}
    - dense: {units: 6}
      name: inner-2-2
    - add: {with: body-2}
    - add: {with: inner-1-2}
    - dense: {units: 2}
)";

// `grouped` without shortcuts.
std::string plain() {
  std::string text = grouped;
  for (const std::string part : {"              shortcut: [{dense: {units: 5}}]\n"}) text.erase(text.find(part), part.size());
  text.replace(text.find("units: 5"), 8, "units: 6");
  return text;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("groups of layers are what they are written out: the same weights, output and gradients, to the bit") {
  const Result a = run(plain()), b = run(written_out);
  REQUIRE(a.gradients.size() == 24);
  CHECK(a == b);
}

TEST_CASE("layers in groups are numbered as if written out, and names in a repeat get its number behind them") {
  const auto environment = make_environment(grouped);
  const Net net(*environment, 3);
  const std::vector<std::string> layers{"1.dense", "body-1",   "6.dense",  "8.dense",  "10.dense",  "inner-1-1", "inner-1-2",
                                        "body-2",  "17.dense", "19.dense", "21.dense", "inner-2-1", "inner-2-2", "27.dense"};
  std::vector<std::string> expected;
  for (const std::string& layer : layers) {
    expected.push_back(layer + ".weights");
    expected.push_back(layer + ".bias");
  }
  CHECK(weight_names(net) == expected);
  CHECK(environment->settings().model.layers[9].label == "block-1");
  CHECK(environment->settings().model.layers[25].repetition == "2 of 2, 2 of 2");
}

TEST_CASE("gradients through groups agree with finite differences") {
  // Smooth everywhere.
  const auto environment =
      make_environment(grouped, {"model.layers[2].repeat.layers[1]=gelu", "model.layers.block.residual.layers[1]=silu", "run.threads=2"});
  Net net(*environment, 3);
  std::mt19937 random(6);
  for (float& weight : net.parameters().flat_weights()) weight = random_numbers(1, random, -0.5f, 0.5f)[0];
  fill(static_cast<float*>(net.network.input().data), random_numbers(3 * 6, random));
  REQUIRE_NOTHROW(check_gradients(net, random, 5e-3, 5e-3));
}

TEST_CASE("a residual's shortcut takes the group's input, and is added to its output") {
  const std::string yaml = R"(
model:
  input: [2]
  layers:
    - residual:
        layers: [{dense: {units: 3, weights: zeros}}]
        shortcut: [{dense: {units: 3}}, relu]
)";
  const auto environment = make_environment(yaml);
  Net net(*environment, 1);
  REQUIRE(weight_names(net) == std::vector<std::string>{"0.dense.weights", "0.dense.bias", "1.dense.weights", "1.dense.bias"});
  std::fill_n(net.parameters().weight(1), 3, 10.0f);
  std::copy_n(std::vector<float>{1, -1, 2, 0, 1, 3}.data(), 6, net.parameters().weight(2));
  fill(static_cast<float*>(net.network.input().data), std::vector<float>{1, 2});
  net.forward();
  CHECK(net.output() == std::vector<float>{11, 11, 18});
  // 1.dense takes the input beside 0.dense; its relu runs inside of it.
  const auto& layers = net.network.plan().layers;
  REQUIRE(layers.size() == 3);
  CHECK(layers[1].inputs == std::vector<std::size_t>{0});
  CHECK(layers[1].absorbed.size() == 1);
  CHECK(layers[2].inputs == std::vector<std::size_t>{1, 2});
}

TEST_CASE("a layer whose output a residual adds absorbs nothing of it") {
  const auto environment =
      make_environment("model: {input: [4], layers: [{dense: {units: 4}}, {residual: {layers: [relu, {dense: {units: 4}}]}}]}");
  const Net net(*environment, 3);
  for (const PlannedLayer& layer : net.network.plan().layers) CHECK(layer.absorbed.empty());
}

TEST_CASE("a config with groups is written so that it reads the same") {
  const auto first = make_environment(grouped, {"model.layers.body.freeze=true", "model.layers.body.dense.bias=false"});
  const std::string text = write_resolved(first->settings());
  CHECK(has(text, R"(
    - repeat:
        times: 2
        layers:
          - dense: {)"));
  const auto second = make_environment(text);
  CHECK(compare(first->settings(), second->settings()).empty());
  CHECK(write_resolved(second->settings()) == text);
  CHECK(second->settings().model.layers.size() == 28);
  CHECK(second->settings().model.layers[4].frozen);
  CHECK(second->settings().model.layers[15].frozen);

  const auto third = make_environment(text, {"model.layers[2].repeat.times=3", "model.layers.block.residual.shortcut=[]"});
  CHECK(compare(first->settings(), third->settings()) ==
        std::vector<std::string>{"model.layers[2].repeat.times", "model.layers[2].repeat.layers[2].residual.shortcut"});
}

TEST_CASE("overrides reach layers in groups by their places and by their names") {
  const auto units = [](const std::vector<std::string>& overrides, std::size_t layer) {
    return make_environment(grouped, overrides)->settings().model.layers[layer].value("units")->integer;
  };
  CHECK(units({"model.layers[2].repeat.layers[2].residual.shortcut[0].dense.units=9"}, 8) == 9);
  CHECK(units({"model.layers.inner.dense.units=7"}, 24) == 7);
  CHECK(make_environment(grouped, {"model.layers[1].residual.layers[1]=relu"})->settings().model.layers[2].reference == "relu");
}

TEST_CASE("what a layer in a group refuses names the shapes, the line and the repetition") {
  const std::string shapes = complaint("model: {input: [6], layers: [{dense: {units: 5}}, {residual: {layers: [{dense: {units: 7}}]}}]}");
  CHECK(has(shapes, "got (N, 7) from the layer before and (N, 5) from 'the group's input'"));
  CHECK(has(shapes, "give it a 'shortcut:'"));
  const std::string second = complaint(R"(
model:
  input: [8, 8, 1]
  layers:
    - repeat:
        times: 3
        layers:
          - conv2d: {filters: 2, kernel: 5}
)");
  CHECK(has(second, "test.yaml:8:"));
  CHECK(has(second, "test.yaml:5:7: note: in repetition 2 of 3"));
}
