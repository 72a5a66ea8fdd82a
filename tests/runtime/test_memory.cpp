// The plan of a net's memory: nets whose layers share memory and absorb each other give the same bits as nets whose layers each
// have their own.
#include "helpers.hpp"
#include "net/memory.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <set>

using namespace nnrun;
using namespace nnrun::core;
using nnrun::test::make_environment;
using nnrun::test::Net;
using nnrun::test::random_numbers;

namespace {

std::string config(const std::string& input, const std::vector<std::string>& layers) {
  std::string yaml = "model:\n  input: " + input + "\n  layers:\n";
  for (const std::string& layer : layers) yaml += "    - " + layer + "\n";
  return yaml;
}

std::vector<std::string> separated(const std::vector<std::string>& layers) {
  std::vector<std::string> list;
  for (const std::string& layer : layers) {
    list.push_back(layer);
    list.push_back("copy");
  }
  return list;
}

// Of two nets with the same weights: equal outputs and equal gradients, to the bit.
void check_same(Net& a, Net& b, std::mt19937& random, int steps) {
  REQUIRE(a.parameters().weight_slots().size() == b.parameters().weight_slots().size());
  for (std::size_t slot = 0; slot < a.parameters().weight_slots().size(); ++slot) {
    const auto count = static_cast<std::size_t>(a.parameters().weight_slots()[slot].count);
    const std::vector<float> values = random_numbers(count, random);
    test::fill(a.parameters().weight(slot), values);
    test::fill(b.parameters().weight(slot), values);
  }
  for (int step = 0; step < steps; ++step) {
    const std::int64_t batch = step == 1 ? std::max<std::int64_t>(2, a.network.max_batch() / 2) : a.network.max_batch();
    for (Net* net : {&a, &b}) {
      net->network.set_batch(batch);
      net->step = step;
    }
    const auto x = random_numbers(static_cast<std::size_t>(Tensor(a.network.input()).count()), random);
    for (Net* net : {&a, &b}) {
      test::fill(static_cast<float*>(net->network.input().data), x);
      net->forward();
    }
    REQUIRE(a.output() == b.output());
    const auto dy = random_numbers(a.output().size(), random);
    a.backward(dy);
    b.backward(dy);
    for (std::size_t slot = 0; slot < a.parameters().weight_slots().size(); ++slot) {
      INFO(a.parameters().weight_slots()[slot].name);
      REQUIRE(a.gradient(slot) == b.gradient(slot));
    }
  }
}

}  // namespace

TEST_CASE("random nets give the same bits whether layers share memory and fuse, or not") {
  std::mt19937 random(3);
  const auto below = [&](unsigned bound) { return random() % bound; };
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> layers{"variable", "flatten"};
    const std::size_t count = 2 + below(9);
    for (std::size_t i = 0; i < count; ++i) {
      // dropout draws by the layer's place, which differs between the nets: with rate 0 it still works in place.
      const std::string choices[] = {"dense: {units: " + std::to_string(1 + below(20)) + "}",
                                     "dense: {units: " + std::to_string(1 + below(20)) + ", bias: false}",
                                     "relu",
                                     "relu",
                                     "dropout: {rate: 0}",
                                     "flatten",
                                     "softmax",
                                     "batchnorm",
                                     "scribble: {bytes: " + std::to_string(1 + below(5000)) + "}",
                                     "copy"};
      layers.push_back(choices[below(std::size(choices))]);
    }
    const std::string input =
        "[" + std::to_string(1 + below(4)) + ", " + std::to_string(1 + below(4)) + ", " + std::to_string(1 + below(3)) + "]";
    const std::string threads = "run.threads=" + std::to_string(1 + below(3));
    INFO(config(input, layers));
    const auto shared = make_environment(config(input, layers), {threads});
    const auto apart = make_environment(config(input, separated(layers)), {threads});
    const auto batch = static_cast<std::int64_t>(2 + below(9));
    Net a(*shared, batch), b(*apart, batch);
    check_same(a, b, random, 4);
  }
}

TEST_CASE("layers that work in place take the memory of one") {
  const std::vector<std::string> layers(8, "scribble: {bytes: 1}");
  std::vector<std::string> start{"variable"};
  start.insert(start.end(), layers.begin(), layers.end());
  const auto shared = make_environment(config("[100, 100]", start));
  const auto apart = make_environment(config("[100, 100]", separated(start)));
  // Training keeps neither values nor gradients for these layers' backward: one block of each, and a second where they are copied.
  const std::size_t block = 4 * 100 * 100 * sizeof(float);
  CHECK(Net(*shared, 4).network.memory_bytes() < 3 * block);
  CHECK(Net(*apart, 4).network.memory_bytes() > Net(*shared, 4).network.memory_bytes());
}

TEST_CASE("relu is absorbed by dense, and a copy between them prevents it") {
  const auto fused = make_environment(config("[4, 4, 1]", {"flatten", "dense: {units: 8}", "relu", "dense: {units: 3}"}));
  const Net net(*fused, 5);
  REQUIRE(net.network.plan().layers.size() == 3);
  CHECK(net.network.plan().layers[1].absorbed.size() == 1);
  const auto apart = make_environment(config("[4, 4, 1]", {"flatten", "dense: {units: 8}", "copy", "relu", "dense: {units: 3}"}));
  CHECK(Net(*apart, 5).network.plan().layers.size() == 5);
  // A layer that others refer to keeps its own output.
  const auto named = make_environment(
      "model:\n  input: [16]\n  layers:\n    - dense: {units: 8}\n      name: before\n    - relu\n    - add_reference: {with: before}\n");
  CHECK(Net(*named, 5).network.plan().layers.size() == 3);
}

TEST_CASE("a net for inference needs less memory than one that trains, and gives the same") {
  const auto environment = make_environment(
      config("[32]", {"dense: {units: 64}", "relu", "dense: {units: 64}", "relu", "dense: {units: 64}", "relu", "dense: {units: 4}"}));
  std::mt19937 random(5);
  Net trains(*environment, 16), answers(*environment, 16, false);
  CHECK(answers.network.memory_bytes() < trains.network.memory_bytes());
  const auto x = random_numbers(16 * 32, random);
  for (Net* net : {&trains, &answers}) {
    test::fill(static_cast<float*>(net->network.input().data), x);
    net->forward();
  }
  CHECK(trains.output() == answers.output());
}

TEST_CASE("values that backward needs are not overwritten") {
  // Every pair of tensors that is alive at the same time, from the plan itself.
  const auto environment = make_environment(config("[6, 6, 2]", {"variable", "flatten", "dense: {units: 30}", "relu", "dropout",
                                                                 "batchnorm", "scribble", "dense: {units: 7}", "softmax"}));
  const Net net(*environment, 8);
  const MemoryPlan plan = plan_memory(net.network.plan(), true);
  for (const std::size_t offset : plan.values) CHECK(offset % 64 == 0);
  for (std::size_t i = 0; i < net.network.plan().tensors.size(); ++i) {
    CHECK(plan.values[i] + tensor_bytes(net.network.plan().tensors[i]) <= plan.bytes);
  }
}

TEST_CASE("an earlier output can be used again: values and gradients of nets with skips") {
  const char* nets[] = {
      // One skip, over learnt layers.
      "    - variable: {}\n      name: start\n    - dense: {units: 9}\n    - softmax\n    - dense: {units: 9}\n    - add_reference: {with: "
      "start}\n",
      // The same tensor twice in one layer.
      "    - variable: {}\n      name: start\n    - add_reference: {with: start}\n    - dense: {units: 4}\n",
      // Three users of one output, and a chain of skips.
      "    - variable: {}\n      name: a\n    - dense: {units: 9}\n      name: b\n    - add_reference: {with: a}\n      name: c\n"
      "    - dense: {units: 9}\n    - add_reference: {with: a}\n    - add_reference: {with: b}\n    - add_reference: {with: c}\n"
      "    - add_reference: {with: a}\n    - softmax\n    - dense: {units: 3}\n",
      // The input of a layer that works in place, used later too.
      "    - variable: {}\n      name: a\n    - softmax: {}\n      name: b\n    - scribble\n    - softmax\n    - add_reference: {with: b}\n"
      "    - add_reference: {with: a}\n    - batchnorm\n    - dense: {units: 5}\n",
      // A reference to what is behind an in-place chain.
      "    - variable\n    - flatten\n    - scribble: {}\n      name: s\n    - flatten\n    - dense: {units: 9}\n    - add_reference: "
      "{with: s}\n"
      "    - dense: {units: 2}\n",
      // To the first layer's output where nothing before it learns.
      "    - flatten: {}\n      name: f\n    - dense: {units: 9}\n    - add_reference: {with: f}\n    - dense: {units: 2}\n",
  };
  std::mt19937 random(11);
  for (const char* layers : nets) {
    INFO(layers);
    const auto environment = make_environment(std::string("model:\n  input: [9]\n  layers:\n") + layers);
    Net net(*environment, 6);
    for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) {
      test::fill(net.parameters().weight(slot),
                 random_numbers(static_cast<std::size_t>(net.parameters().weight_slots()[slot].count), random));
    }
    test::fill(static_cast<float*>(net.network.input().data), random_numbers(6 * 9, random));
    CHECK_NOTHROW(test::check_gradients(net, random, 5e-3, 3e-3));
  }
}

TEST_CASE("a reference to nothing is an error at its place") {
  std::string message;
  try {
    make_environment("model:\n  input: [4]\n  layers:\n    - dense: {units: 4}\n    - add_reference: {with: nobody}\n");
  } catch (const DiagnosticError& e) {
    message = e.what();
  }
  CHECK(message.find("test.yaml:5:") != std::string::npos);
  CHECK(message.find("nobody") != std::string::npos);
}

TEST_CASE("shapes that do not fit are an error that shows them") {
  const auto environment = make_environment(
      "model:\n  input: [4]\n  layers:\n    - flatten: {}\n      name: f\n    - dense: {units: 3}\n    - add_reference: {with: f}\n");
  std::string message;
  try {
    const Net net(*environment, 2);
  } catch (const DiagnosticError& e) {
    message = e.what();
  }
  CHECK(message.find("test.yaml:7:") != std::string::npos);
  CHECK(message.find("(2, 3)") != std::string::npos);
  CHECK(message.find("(2, 4)") != std::string::npos);
}
