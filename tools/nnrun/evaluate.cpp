#include "arrays.hpp"
#include "commands.hpp"
#include "deployment/predictor.hpp"
#include "training/evaluation.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

namespace nnrun::tool {

namespace {

// What the net says of each test sample, before the loss makes probabilities of it.
void write_outputs(const std::string& file, core::Network& network, core::Data& data) {
  const std::int64_t count = data.test().count(), whole = network.max_batch();
  Shape shape = Tensor(network.output()).shape();
  shape[0] = count;
  std::vector<float> values;
  const core::Buffer labels(core::label_bytes(data, whole));
  for (std::int64_t begin = 0; begin < count; begin += whole) {
    std::vector<std::uint32_t> positions(static_cast<std::size_t>(std::min(whole, count - begin)));
    std::iota(positions.begin(), positions.end(), static_cast<std::uint32_t>(begin));
    network.set_batch(std::ssize(positions));
    data.load(data.test(), positions, 0, false, network.input(), labels.data());
    network.forward(0);
    const auto outputs = Tensor(network.output()).span();
    values.insert(values.end(), outputs.begin(), outputs.end());
  }
  write_npy(file, shape, values);
}

// Each kernel that the net's layers run, with its table, in the order of the layers.
std::string kernels_text(const core::Network& network) {
  std::vector<std::string> seen;
  std::string text;
  for (const core::PlannedLayer& layer : network.plan().layers) {
    for (const std::string& kernel : layer.kernels) {
      if (std::ranges::find(seen, kernel) != seen.end()) continue;
      seen.push_back(kernel);
      text += (text.empty() ? "" : ", ") + kernel;
    }
  }
  return text;
}

}  // namespace

int evaluate(const Options& options) {
  core::Predictor predictor(options.subject, environment_options(options), options.words);
  const core::Environment& environment = predictor.environment();
  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  core::Evaluator evaluator(environment, data, predictor.parameters());
  const core::Evaluation result = evaluator.run(data.test());
  if (!options.outputs.empty()) write_outputs(options.outputs, evaluator.network(), data);
  const std::string sha256 = predictor.parameters()->sha256();
  if (options.json) {
    nlohmann::ordered_json json{
        {"model", options.subject}, {"data", data.drawn() ? "drawn" : "real"}, {"samples", result.samples}, {"loss", result.loss}};
    for (const auto& [name, value] : result.metrics) json[name] = value;
    json["weights_sha256"] = sha256;
    json["layers"] = nlohmann::ordered_json::array();
    for (const core::PlannedLayer& layer : evaluator.network().plan().layers)
      json["layers"].push_back({{"name", layer.name}, {"kernels", layer.kernels}});
    std::cout << json.dump(2) << "\n";
    return 0;
  }
  if (!data.stand_in_reason().empty()) {
    std::cout << "DRAWN STAND-INS: " << data.stand_in_reason() << "; these figures say nothing about the real data\n";
  }
  std::cout << options.subject << " on " << with_commas(result.samples) << " test samples: loss " << result.loss;
  for (const auto& [name, value] : result.metrics) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f %%", 100 * value);
    std::cout << ", " << name << " " << text;
  }
  std::cout << "\nkernels: " << kernels_text(evaluator.network()) << "\nweights_sha256 " << sha256 << "\n";
  return 0;
}

}  // namespace nnrun::tool
