// Weights from another checkpoint, and frozen layers.
#include "base/error.hpp"
#include "helpers.hpp"
#include "net/checkpoint.hpp"
#include "net/update.hpp"
#include "training/start_from.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;

namespace {

constexpr const char* first = R"(
model:
  input: [6]
  layers:
    - dense: {units: 5}
      name: body
    - batchnorm
    - relu
    - dense: {units: 3}
      name: head
)";

struct Start {
  Start(const std::string& yaml, const std::vector<std::string>& overrides)
      : environment(make_environment(yaml, overrides)), net(*environment, 4) {}
  std::string take() { return start_from(environment->settings().model.start_from, net.parameters()); }
  std::string complaint() {
    try {
      take();
    } catch (const DiagnosticError& e) {
      return e.what();
    }
    return "none";
  }
  std::vector<float> weight(const std::string& name) {
    const auto& slots = net.parameters().weight_slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].name == name) return {net.parameters().weight(i), net.parameters().weight(i) + slots[i].count};
    }
    throw std::runtime_error("no weight " + name);
  }

  std::unique_ptr<Environment> environment;
  Net net;
};

// A checkpoint of that net from another seed.
std::string write(const TemporaryFolder& folder, Start& from) {
  const std::string file = (folder / "first.safetensors").string();
  ModelDescription description;
  description.config = "x";
  description.sample = make_tensor(NNRUN_F32, Shape{6});
  write_checkpoint(file, from.net.parameters(), description, {}, false);
  return file;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("start_from takes what has the same name and shape, and says so") {
  const TemporaryFolder folder;
  Start other(first, {"seed=1"});
  other.net.parameters().state(0)[2] = 0.75f;  // running_mean
  const std::string checkpoint = "model.start_from.checkpoint=" + write(folder, other);

  Start all(first, {"seed=2", checkpoint});
  CHECK(all.weight("body.weights") != other.weight("body.weights"));
  all.take();
  CHECK(all.weight("body.weights") == other.weight("body.weights"));
  CHECK(all.weight("head.weights") == other.weight("head.weights"));
  CHECK(all.net.parameters().state(0)[2] == 0.75f);
  CHECK(all.take() == "started from " + (folder / "first.safetensors").string() + ": 8 tensors taken");

  Start body(first, {"seed=2", checkpoint, "model.start_from.layers=[body]"});
  const std::vector<float> head = body.weight("head.weights");
  CHECK(has(body.take(),
            "2 tensors taken; not taken: 1.batchnorm.gamma, 1.batchnorm.beta, head.weights, head.bias, 1.batchnorm.running_mean"));
  CHECK(body.weight("body.weights") == other.weight("body.weights"));
  CHECK(body.weight("head.weights") == head);

  Start renamed(first, {"seed=2", checkpoint, "model.layers[3].name=head2", "model.layers[3].dense.units=7"});
  CHECK(has(renamed.take(), "6 tensors taken; not taken: head2.weights, head2.bias"));
  CHECK(Start(first, {}).take().empty());
}

TEST_CASE("start_from names what does not fit, at its place") {
  const TemporaryFolder folder;
  Start other(first, {"seed=1"});
  const std::string checkpoint = "model.start_from.checkpoint=" + write(folder, other);
  const std::string shape = Start(first, {checkpoint, "model.layers[3].dense.units=7"}).complaint();
  CHECK(has(shape, "has 'head.weights' with the shape (5, 3), the net needs (5, 7)"));
  CHECK(has(shape, "model.start_from.checkpoint="));
  CHECK(has(shape, "give that layer another name, or list in `layers` what to take"));
  CHECK(has(Start(first, {checkpoint, "model.start_from.layers=[bodi]"}).complaint(), "no layer with weights has the name 'bodi'"));
  CHECK(has(Start(first, {checkpoint, "model.start_from.layers=[bodi]"}).complaint(), "did you mean 'body'?"));
  CHECK(has(Start(first, {checkpoint, "model.layers[3].name=tail", "model.start_from.layers=[tail]"}).complaint(),
            "has no tensor 'tail.weights'"));
  CHECK(has(Start("model: {input: [6], layers: [{dense: {units: 2}}]}", {checkpoint}).complaint(),
            "has no tensor by any name of this net's, eg '0.dense.weights'"));
  CHECK(has(Start(first, {"model.start_from.checkpoint=nowhere.safetensors"}).complaint(), "nowhere.safetensors"));
}

TEST_CASE("frozen layers stay what they are, and gradients pass through them") {
  const auto frozen = [](const std::vector<int>& layers) {
    std::vector<std::string> overrides;
    for (const int layer : layers) overrides.push_back("model.layers[" + std::to_string(layer) + "].freeze=true");
    return overrides;
  };
  const std::string yaml = std::string(first) + "train: {optimizer: {sgd: {learning_rate: 0.1, weight_decay: 0.1, decay_all: true}}}\n";
  for (const std::vector<int>& layers : {std::vector<int>{}, {0}, {1}, {3}, {0, 1}, {1, 3}}) {
    for (const UpdateOptions& options : {UpdateOptions{}, UpdateOptions{1, 1}}) {
      const auto environment = make_environment(yaml, frozen(layers));
      Net net(*environment, 4);
      Updater updater(*environment->settings().train.optimizer, environment->host(), net.parameters(), options);
      std::mt19937 random(3);
      Parameters& parameters = net.parameters();
      for (float& weight : parameters.flat_weights()) weight += 0.25f;  // no zeros: all of them decay
      const std::vector<float> weights(parameters.flat_weights().begin(), parameters.flat_weights().end());
      const std::vector<float> states(parameters.flat_states().begin(), parameters.flat_states().end());
      nnrun_progress progress{};
      progress.size = sizeof progress;
      progress.epochs = progress.steps_per_epoch = 1;
      updater.begin(progress);
      fill(static_cast<float*>(net.network.input().data), random_numbers(24, random));
      net.forward();
      fill(static_cast<float*>(net.network.output_gradient().data), random_numbers(12, random));
      net.network.backward(0, &updater);
      updater.end_batch(4);
      updater.finish();
      const auto is_frozen = [&](std::size_t layer) {
        return std::find(layers.begin(), layers.end(), static_cast<int>(layer)) != layers.end();
      };
      for (std::size_t slot = 0; slot < parameters.weight_slots().size(); ++slot) {
        const Slot& s = parameters.weight_slots()[slot];
        INFO(s.name << ", " << layers.size() << " frozen");
        const bool same =
            std::equal(parameters.weight(slot), parameters.weight(slot) + s.count, weights.begin() + static_cast<std::ptrdiff_t>(s.offset));
        CHECK(same == is_frozen(s.layer));
      }
      CHECK(std::equal(states.begin(), states.end(), parameters.flat_states().begin()) == is_frozen(1));
    }
  }
}

TEST_CASE("gradients through frozen layers agree with finite differences") {
  for (const char* layer : {"{dense: {units: 5}}", "batchnorm"}) {
    const auto environment = make_environment(std::string("model:\n  input: [7]\n  layers:\n    - variable\n    - ") + layer + "\n",
                                              {"model.layers[1].freeze=true", "run.threads=2"});
    Net net(*environment, 5);
    std::mt19937 random(9);
    Parameters& parameters = net.parameters();
    for (std::size_t slot = 0; slot < parameters.weight_slots().size(); ++slot) {
      fill(parameters.weight(slot), random_numbers(static_cast<std::size_t>(parameters.weight_slots()[slot].count), random, 0.5f, 1.5f));
    }
    for (std::size_t slot = 0; slot < parameters.state_slots().size(); ++slot) {
      fill(parameters.state(slot), random_numbers(static_cast<std::size_t>(parameters.state_slots()[slot].count), random, 0.5f, 1.5f));
    }
    net.forward();
    const std::vector<float> r = random_numbers(net.output().size(), random);
    net.backward(r);
    const std::vector<float> gradient = net.gradient(0), direction = random_numbers(gradient.size(), random);
    double expected = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i) expected += static_cast<double>(gradient[i]) * static_cast<double>(direction[i]);
    CHECK(directional_derivative(net, 0, direction, r, 5e-3) == Approx(expected).epsilon(1e-3).margin(1e-3));
  }
}

TEST_CASE("what has no weights cannot be frozen") {
  const auto environment = make_environment(first, {"model.layers[2].freeze=true"});
  std::string message;
  try {
    Net net(*environment, 4);
  } catch (const DiagnosticError& e) {
    message = e.what();
  }
  CHECK(has(message, "2.relu has no weights to freeze"));
}
