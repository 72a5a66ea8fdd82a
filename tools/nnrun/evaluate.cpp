#include "commands.hpp"
#include "evaluation.hpp"
#include "predictor.hpp"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

int evaluate(const Options& options) {
  core::Predictor predictor(options.subject, environment_options(options), options.words);
  const core::Environment& environment = predictor.environment();
  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  const core::Evaluation result = core::Evaluator(environment, data, predictor.parameters()).run(data.test());
  const std::string sha256 = predictor.parameters()->sha256();
  if (options.json) {
    nlohmann::ordered_json json{{"model", options.subject}, {"data", data.drawn() ? "drawn" : "real"}, {"samples", result.samples}, {"loss", result.loss}};
    for (const auto& [name, value] : result.metrics) json[name] = value;
    json["weights_sha256"] = sha256;
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
  std::cout << "\nweights_sha256 " << sha256 << "\n";
  return 0;
}

}  // namespace nnrun::tool
