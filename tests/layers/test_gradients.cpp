// Gradients of every registered layer beside finite differences, and layers that absorb others beside the two apart.
#include "registered.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

#include <cmath>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;

namespace {

// Parameters of layers that have required ones, apart from references.
const std::map<std::string, std::string> parameters{
    {"dense", "units: 5"},
    {"conv2d", "filters: 3, kernel: 3"},
    {"maxpool2d", "size: 2"},
    {"avgpool2d", "size: 2"},
    {"fixed_dense", "units: 5, arithmetic: q16"},
    {"fixed_conv2d", "filters: 3, kernel: 3, arithmetic: q16"},
    {"fixed_maxpool2d", "size: 2"},
};

// The stencil of directional_derivative() reaches twice as far along directions of up to 1 a number.
constexpr double step = 5e-3;
constexpr float gap = 0.03f;
constexpr double tolerance = 3e-3;
constexpr int shapes = 20;
constexpr std::size_t most_numbers = 250;  // a batch; so that spread numbers stay below 4

const nnrun_layer_vtable& table_of(const nnrun_component& layer) { return *static_cast<const nnrun_layer_vtable*>(layer.vtable); }

// The variable whose gradient is dx comes last before the layer; `other` is for references.
std::string net_yaml(const std::vector<std::int64_t>& shape, const std::vector<std::string>& layers) {
  std::string yaml = "model:\n  input: " + yaml_of(shape) + "\n  layers:\n    - variable: {}\n      name: other\n    - variable\n";
  for (const std::string& layer : layers) yaml += "    - " + layer + "\n";
  return yaml;
}

void fill_weights(Net& net, std::mt19937& random) {
  for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) {
    const Slot& weight = net.parameters().weight_slots()[slot];
    const auto count = static_cast<std::size_t>(weight.count);
    const bool variable = weight.name.ends_with(".values") && slot < 2;
    fill(net.parameters().weight(slot), variable ? spread_numbers(count, random, gap) : random_numbers(count, random));
  }
}

// A net that accepts the shape, or none where the layer refuses it.
struct Made {
  std::unique_ptr<Environment> environment;
  std::unique_ptr<Net> net;
};

Made make(const std::vector<std::int64_t>& shape, const std::vector<std::string>& layers, std::int64_t batch,
          const std::vector<std::string>& overrides) {
  Made made;
  made.environment = make_environment(net_yaml(shape, layers), overrides);
  try {
    made.net = std::make_unique<Net>(*made.environment, batch);
  } catch (const DiagnosticError&) {
  }
  return made;
}

std::size_t numbers_of(const std::vector<std::int64_t>& shape, std::int64_t batch) {
  std::int64_t count = batch;
  for (const std::int64_t dim : shape) count *= dim;
  return static_cast<std::size_t>(count);
}

}  // namespace

TEST_CASE("gradients of every layer agree with finite differences") {
  const auto layers = registry().components("layer");
  REQUIRE_FALSE(layers.empty());
  for (const auto& [component, plugin] : layers) {
    if (table_of(*component).backward == nullptr) continue;
    const std::string layer = config_of(*component, parameters);
    std::mt19937 random(1);
    int checked = 0;
    for (int round = 0; checked < shapes && round < 50 * shapes; ++round) {
      const std::vector<std::int64_t> shape = random_shape(random, round);
      const auto batch = static_cast<std::int64_t>(2 + random() % 6);
      if (numbers_of(shape, batch) > most_numbers) continue;
      INFO(layer << " on " << yaml_of(shape) << ", batch " << batch);
      const Made made = make(shape, {layer}, batch, {"run.threads=2"});
      if (made.net == nullptr) continue;
      // Batch norm of two equal numbers has no slope worth measuring.
      fill_weights(*made.net, random);
      REQUIRE_NOTHROW(check_gradients(*made.net, random, step, tolerance));
      ++checked;
    }
    INFO(layer << " took only " << checked << " shapes");
    CHECK(checked == shapes);
  }
}

TEST_CASE("gradients of windows of all kinds agree with finite differences") {
  std::mt19937 random(5);
  const auto upto = [&](unsigned most) { return std::to_string(1 + random() % most); };
  const auto two = [&](unsigned most) { return "[" + upto(most) + ", " + upto(most) + "]"; };
  for (const std::string layer : {"conv2d", "maxpool2d", "avgpool2d"}) {
    int checked = 0;
    for (int round = 0; checked < 2 * shapes && round < 100 * shapes; ++round) {
      const bool conv = layer == "conv2d";
      std::string text = (conv ? "kernel: " : "size: ") + two(4) + ", stride: " + two(3);
      const char* const paddings[] = {"valid", "same", "1", "[1, 0]", "[0, 1, 2, 1]"};
      text += std::string(", padding: ") + paddings[random() % std::size(paddings)];
      std::int64_t channels = 1 + static_cast<std::int64_t>(random() % 3);
      if (conv) {
        const std::int64_t groups = 1 + static_cast<std::int64_t>(random() % 3);
        channels = groups * (1 + static_cast<std::int64_t>(random() % 2));
        text += ", dilation: " + two(2) + ", groups: " + std::to_string(groups) +
                ", filters: " + std::to_string(groups * (1 + static_cast<std::int64_t>(random() % 2))) +
                (random() % 2 == 0 ? ", bias: false" : "");
      }
      const std::vector<std::int64_t> shape{1 + static_cast<std::int64_t>(random() % 7), 1 + static_cast<std::int64_t>(random() % 7),
                                            channels};
      const auto batch = static_cast<std::int64_t>(1 + random() % 4);
      if (numbers_of(shape, batch) > most_numbers) continue;
      const std::string config = "{" + layer + ": {" + text + "}}";
      INFO(config << " on " << yaml_of(shape) << ", batch " << batch);
      const Made made = make(shape, {config}, batch, {"run.threads=2"});
      if (made.net == nullptr) continue;
      fill_weights(*made.net, random);
      REQUIRE_NOTHROW(check_gradients(*made.net, random, step, tolerance));
      ++checked;
    }
    CHECK(checked == 2 * shapes);
  }
}

TEST_CASE("gradients of batch norm with ReLU and max-pool agree with finite differences") {
  std::mt19937 random(7);
  const std::string pool = "{maxpool2d: {size: 2}}";
  const std::vector<std::vector<std::string>> all{{"batchnorm", "relu"}, {"batchnorm", pool}, {"batchnorm", "relu", pool}};
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{2, 2, 4}, std::vector<std::int64_t>{5, 4, 3}, std::vector<std::int64_t>{3, 6, 2}}) {
    for (const std::vector<std::string>& layers : all) {
      INFO(yaml_of(shape) << ", " << layers.size() << " layers, the last one " << layers.back());
      const Made made = make(shape, layers, 4, {"run.threads=2"});
      REQUIRE(made.net != nullptr);
      REQUIRE(made.net->network.plan().layers.size() == 3);  // two variables
      fill_weights(*made.net, random);
      // Away from ReLU's kink: each channel is above it in all places, or below. Away from gamma = 0, where the largest change places.
      const std::size_t gamma = made.net->parameters().weight_slots().size() - 2, beta = gamma + 1;
      for (std::int64_t c = 0; c < shape.back(); ++c) {
        made.net->parameters().weight(gamma)[c] = c % 2 == 0 ? 0.75f : -1.25f;
        made.net->parameters().weight(beta)[c] = c % 3 == 1 ? -9.0f : 9.0f;
      }
      REQUIRE_NOTHROW(check_gradients(*made.net, random, step, tolerance));
    }
  }
}

TEST_CASE("a wrong gradient would be noticed") {
  // The same check on numbers that are off by 5 %.
  const auto environment = make_environment(net_yaml({7}, {"{dense: {units: 5}}"}));
  Net net(*environment, 4);
  std::mt19937 random(2);
  fill_weights(net, random);
  net.forward();
  std::vector<float> r = random_numbers(net.output().size(), random), wrong = r;
  for (float& number : wrong) number *= 1.05f;
  net.backward(wrong);
  const std::vector<float> gradient = net.gradient(1);
  const double got = directional_derivative(net, 1, gradient, r, step);
  double expected = 0;
  for (const float g : gradient) expected += static_cast<double>(g) * static_cast<double>(g);
  CHECK(std::abs(got - expected) > tolerance * std::max(1.0, std::sqrt(expected)));
}

TEST_CASE("layers that absorb a neighbour give what the two give apart") {
  int pairs = 0;
  for (const auto& [component, plugin] : registry().components("layer")) {
    const nnrun_layer_vtable& table = table_of(*component);
    if (table.absorb == nullptr) continue;
    for (const auto& [next, next_plugin] : registry().components("layer")) {
      if (table_of(*next).trait == NNRUN_TRAIT_NONE) continue;
      const std::string first = config_of(*component, parameters), second = config_of(*next, parameters);
      for (const std::string& kernels : kernel_tables()) {
        std::mt19937 random(3);
        int checked = 0;
        for (int round = 0; checked < shapes && round < 50 * shapes; ++round) {
          const std::vector<std::int64_t> shape = random_shape(random, round);
          const auto batch = static_cast<std::int64_t>(2 + random() % 6);
          INFO(first << " and " << second << " on " << yaml_of(shape) << ", batch " << batch << ", kernels " << kernels);
          const Made fused = make(shape, {first, second}, batch, {"run.kernels=" + kernels});
          const Made apart = make(shape, {first, "copy", second}, batch, {"run.kernels=" + kernels});
          REQUIRE((fused.net == nullptr) == (apart.net == nullptr));
          if (fused.net == nullptr) continue;
          if (fused.net->network.plan().layers.size() + 2 != apart.net->network.plan().layers.size()) continue;  // did not absorb
          std::mt19937 same = random;
          fill_weights(*fused.net, random);
          fill_weights(*apart.net, same);
          fused.net->forward();
          apart.net->forward();
          const std::vector<float> y = apart.net->output(), fused_y = fused.net->output();
          REQUIRE(fused_y.size() == y.size());
          const auto close = [](float a, float b) { return std::abs(a - b) <= 1e-5f * std::max(1.0f, std::abs(b)); };
          REQUIRE(std::equal(y.begin(), y.end(), fused_y.begin(), close));
          const std::vector<float> dy = random_numbers(y.size(), random);
          fused.net->backward(dy);
          apart.net->backward(dy);
          for (std::size_t slot = 0; slot < fused.net->parameters().weight_slots().size(); ++slot) {
            const std::vector<float> a = apart.net->gradient(slot), b = fused.net->gradient(slot);
            INFO(fused.net->parameters().weight_slots()[slot].name);
            REQUIRE(std::equal(a.begin(), a.end(), b.begin(), close));
          }
          ++checked;
        }
        pairs += checked > 0 ? 1 : 0;
      }
    }
  }
  CHECK(pairs > 0);
}

TEST_CASE("every layer gives the same bits for any number of threads, and for a smaller batch") {
  for (const auto& [component, plugin] : registry().components("layer")) {
    const std::string layer = config_of(*component, parameters);
    const bool trains = table_of(*component).backward != nullptr;
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{700}, std::vector<std::int64_t>{20, 18, 3}}) {
      INFO(layer << " on " << yaml_of(shape));
      std::vector<float> first_y;
      std::vector<std::vector<float>> first_gradients;
      for (const char* threads : {"1", "2", "3", "8"}) {
        const Made made = make(shape, {layer}, 33, {std::string("run.threads=") + threads});
        if (made.net == nullptr) continue;
        Net& net = *made.net;
        net.network.set_batch(29);
        std::mt19937 random(4);
        for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) {
          fill(net.parameters().weight(slot),
               random_numbers(static_cast<std::size_t>(net.parameters().weight_slots()[slot].count), random));
        }
        net.forward();
        const std::vector<float> y = net.output();
        std::vector<std::vector<float>> gradients;
        if (trains) {
          net.backward(random_numbers(y.size(), random));
          for (std::size_t slot = 0; slot < net.parameters().weight_slots().size(); ++slot) gradients.push_back(net.gradient(slot));
        }
        if (first_y.empty()) {
          first_y = y;
          first_gradients = gradients;
        }
        INFO(threads << " threads");
        REQUIRE(y == first_y);
        REQUIRE(gradients == first_gradients);
      }
    }
  }
}
