// tests/golden/layer_*.json, loss_*.json and optimizer_*.json: PyTorch's values, through the real plugins, with each table of kernels.
#include "registered.hpp"

#include "net/update.hpp"
#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <set>

using namespace nnrun;
using namespace nnrun::core;
using namespace nnrun::test;
using Json = nlohmann::ordered_json;

namespace {

constexpr double tolerance = 1e-5;  // absolute and relative

std::vector<std::filesystem::path> golden_files(const std::string& kind) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(NNRUN_GOLDEN_DIR)) {
    if (entry.path().filename().string().starts_with(kind + "_") && entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Json read(const std::filesystem::path& file) { return Json::parse(std::ifstream(file)); }

std::vector<float> floats(const Json& array) { return array.at("data").get<std::vector<float>>(); }

void check_close(std::span<const float> got, const Json& expected, const std::string& what) {
  const auto values = expected.at("data").get<std::vector<double>>();
  REQUIRE(got.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO(what << "[" << i << "]: " << got[i] << ", PyTorch has " << values[i]);
    REQUIRE(std::abs(static_cast<double>(got[i]) - values[i]) <= tolerance + tolerance * std::abs(values[i]));
  }
}

// "1.dense.weights" -> "weights"
std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

std::string component_text(const Json& file, const char* kind) {
  const auto name = file.at(kind).get<std::string>();
  return file.at("params").empty() ? name : "{" + name + ": " + file.at("params").dump() + "}";
}

// Of the layer behind the variable.
std::size_t slot_named(const std::vector<Slot>& slots, const std::string& name, std::size_t first) {
  for (std::size_t i = first; i < slots.size(); ++i) {
    if (last_part(slots[i].name) == name) return i;
  }
  FAIL("the layer has no weight or state '" << name << "'");
  return 0;
}

void check_layer(const Json& file, const std::string& kernels) {
  auto shape = file.at("x").at("shape").get<std::vector<std::int64_t>>();
  const std::int64_t batch = shape.front();
  shape.erase(shape.begin());
  std::string layers = "\n    - variable\n    - " + component_text(file, "layer");
  for (const Json& layer : file.value("behind", Json::array())) layers += "\n    - " + layer.dump();
  const auto environment =
      make_environment("model:\n  input: " + yaml_of(shape) + "\n  layers:" + layers + "\nrun: {threads: 2, kernels: " + kernels + "}\n");
  Net net(*environment, batch, file.at("training").get<bool>());
  Parameters& parameters = net.parameters();
  fill(parameters.weight(0), floats(file.at("x")));
  for (const auto& [name, value] : file.at("weights").items()) {
    const std::size_t slot = slot_named(parameters.weight_slots(), name, 1);
    REQUIRE(parameters.weight_slots()[slot].shape == value.at("shape").get<std::vector<std::int64_t>>());
    fill(parameters.weight(slot), floats(value));
  }
  const Json no_states = Json::object();
  for (const auto& [name, value] : (file.contains("state") ? file.at("state") : no_states).items()) {
    fill(parameters.state(slot_named(parameters.state_slots(), name, 0)), floats(value));
  }
  net.forward();
  check_close(net.output(), file.at("y"), "y");
  for (const auto& [name, value] : (file.contains("state_after") ? file.at("state_after") : no_states).items()) {
    const std::size_t slot = slot_named(parameters.state_slots(), name, 0);
    check_close({parameters.state(slot), static_cast<std::size_t>(parameters.state_slots()[slot].count)}, value, name);
  }
  if (!file.contains("dy")) return;
  net.backward(floats(file.at("dy")));
  check_close(net.gradient(0), file.at("dx"), "dx");
  for (const auto& [name, value] : file.at("d_weights").items()) {
    check_close(net.gradient(slot_named(parameters.weight_slots(), name, 1)), value, "gradient of " + name);
  }
}

void check_loss(const Json& file, const std::string& kernels) {
  const auto shape = file.at("x").at("shape").get<Shape>();
  const auto environment = make_environment("model: {input: [3], layers: [flatten]}\ntrain: {loss: " + component_text(file, "loss") +
                                            "}\nrun: {threads: 2, kernels: " + kernels + "}\n");
  std::vector<float> x = floats(file.at("x")), dx(x.size());
  const nnrun_tensor output = make_tensor(NNRUN_F32, shape, x.data()), gradient = make_tensor(NNRUN_F32, shape, dx.data());
  // Classes, or an array: numbers where "targets" says how many, otherwise distributions over classes.
  const bool hard = file.at("labels").is_array();
  std::vector<std::int32_t> classes_of;
  std::vector<float> numbers;
  if (hard) {
    classes_of = file.at("labels").get<std::vector<std::int32_t>>();
  } else {
    numbers = floats(file.at("labels"));
  }
  const nnrun_tensor label_tensor = hard ? make_tensor(NNRUN_S32, Shape{shape[0]}, classes_of.data())
                                         : make_tensor(NNRUN_F32, file.at("labels").at("shape").get<Shape>(), numbers.data());
  const std::int64_t targets = file.value("targets", std::int64_t{0});
  const std::int64_t classes = targets > 0 ? 0 : shape[1] == 1 ? 2 : shape[1];
  LossFunction function(*environment->settings().train.loss, environment->host(), output, classes, targets);
  const double value = function.run(output, label_tensor, &gradient) / static_cast<double>(shape[0]);
  const double expected = file.at("value").get<double>();
  CHECK(std::abs(value - expected) <= tolerance + tolerance * std::abs(expected));
  check_close({function.losses(), static_cast<std::size_t>(shape[0])}, file.at("losses"), "losses");
  check_close(dx, file.at("dx"), "dx");
}

void check_optimizer(const Json& file, const std::string& kernels) {
  const auto environment =
      make_environment("model: {input: [3], layers: [flatten]}\ntrain: {optimizer: " + component_text(file, "optimizer") +
                       "}\nrun: {threads: 2, kernels: " + kernels + "}\n");
  const std::vector<float> w = floats(file.at("w"));
  Slot slot;
  slot.name = "w";
  slot.shape = {static_cast<std::int64_t>(w.size())};
  slot.flags = NNRUN_WEIGHT_DECAY;
  Parameters parameters({slot}, {});
  Updater updater(*environment->settings().train.optimizer, environment->host(), parameters);
  fill(parameters.weight(0), w);
  nnrun_progress progress{};
  progress.size = sizeof progress;
  progress.epochs = 1;
  progress.steps_per_epoch = static_cast<std::int64_t>(file.at("gradients").size());
  for (std::size_t i = 0; i < file.at("gradients").size(); ++i) {
    progress.step = static_cast<std::int64_t>(i);
    updater.begin(progress);
    fill(parameters.gradient(0), floats(file.at("gradients")[i]));
    // In two slices, as a layer that finishes its gradient piece by piece would say it.
    updater.slice_ready(0, 0, 5);
    updater.slice_ready(0, 5, static_cast<std::int64_t>(w.size()));
    updater.layer_done(0, 1);
    REQUIRE_FALSE(updater.not_finite().has_value());
    check_close({parameters.weight(0), w.size()}, file.at("w_after")[i], "w after step " + std::to_string(i + 1));
  }
  std::size_t state = 0;
  for (const auto& [name, value] : file.at("state_after").items()) {
    check_close({parameters.optimizer_state(state++, 0), w.size()}, value, name);
  }
  CHECK(state == parameters.optimizer_state_names().size());
}

void check_all(const std::string& kind, void (*check)(const Json&, const std::string&)) {
  const auto files = golden_files(kind);
  REQUIRE_FALSE(files.empty());
  const auto tables = kernel_tables();
  for (const char* table : {"scalar", "avx2", "avx512"}) {
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) {
      WARN("no kernels '" << table << "' on this machine");
      continue;
    }
    for (const auto& path : files) {
      INFO(path.filename().string() << ", kernels " << table);
      const Json file = read(path);
      const auto name = file.at(kind).get<std::string>();
      REQUIRE(registry().find(kind, name) != nullptr);
      check(file, table);
    }
  }
}

}  // namespace

TEST_CASE("layers give PyTorch's values") { check_all("layer", check_layer); }
TEST_CASE("losses give PyTorch's values") { check_all("loss", check_loss); }
TEST_CASE("optimizers give PyTorch's values") { check_all("optimizer", check_optimizer); }

TEST_CASE("an optimizer says which gradient is not finite") {
  for (const auto& [component, plugin] : registry().components("optimizer")) {
    for (const std::string& kernels : kernel_tables()) {
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
        INFO(component->name << ", kernels " << kernels << ", " << bad);
        const auto environment =
            make_environment("model: {input: [3], layers: [flatten]}\ntrain: {optimizer: " + config_of(*component, {}) +
                             "}\nrun: {threads: 2, kernels: " + kernels + "}\n");
        Slot a, b;
        a.name = "a";
        b.name = "b";
        a.shape = b.shape = {37};
        Parameters parameters({a, b}, {});
        Updater updater(*environment->settings().train.optimizer, environment->host(), parameters);
        nnrun_progress progress{};
        progress.size = sizeof progress;
        progress.epochs = progress.steps_per_epoch = 1;
        for (std::int64_t at = 0; at < 37; ++at) {
          updater.begin(progress);
          std::fill_n(parameters.gradient(0), 37, 1.0f);
          std::fill_n(parameters.gradient(1), 37, 1.0f);
          updater.layer_done(0, 2);
          REQUIRE_FALSE(updater.not_finite().has_value());
          updater.begin(progress);
          parameters.gradient(1)[at] = bad;
          updater.layer_done(0, 2);
          REQUIRE(updater.not_finite() == std::optional<std::size_t>(1));
          std::fill_n(parameters.weight(1), 37, 0.0f);
          for (std::size_t k = 0; k < parameters.optimizer_state_names().size(); ++k)
            std::fill_n(parameters.optimizer_state(k, 1), 37, 0.0f);
        }
      }
    }
  }
}
