#include "base/error.hpp"
#include "commands.hpp"
#include "deployment/predictor.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

namespace {

std::string values_text(const std::vector<float>& values) {
  std::string text;
  for (const float value : values) {
    char number[32];
    std::snprintf(number, sizeof number, " %.6g", static_cast<double>(value));
    text += number;
  }
  return text;
}

}  // namespace

int predict(const Options& options) {
  if (options.words.empty()) throw core::RunError("predict needs at least one file: nnrun predict MODEL FILE...");
  core::Predictor predictor(options.subject, environment_options(options));
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool failed = false;
  for (const std::string& file : options.words) {
    try {
      const std::vector<float> probabilities = predictor.predict_file(file, options.index);
      if (predictor.description().classes == 0) {
        // Numbers to come close to, not classes.
        if (options.json) {
          all.push_back({{"file", file}, {"values", probabilities}});
        } else {
          std::cout << file << ":" << values_text(probabilities) << "\n";
        }
        continue;
      }
      const auto best = static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
      if (options.json) {
        all.push_back({{"file", file},
                       {"class", predictor.class_name(best)},
                       {"probability", probabilities[best]},
                       {"probabilities", probabilities}});
      } else {
        char share[16];
        std::snprintf(share, sizeof share, "%.1f %%", 100 * static_cast<double>(probabilities[best]));
        std::cout << file << ": " << predictor.class_name(best) << " (" << share << ")\n";
      }
    } catch (const core::RunError& e) {
      // The other files still get their answers.
      failed = true;
      std::fprintf(stderr, "nnrun: error: %s\n", e.what());
      if (options.json) all.push_back({{"file", file}, {"error", e.what()}});
    }
  }
  if (options.json) std::cout << all.dump(2) << "\n";
  if (predictor.description().drawn && !options.json) std::cout << "(this model was trained on drawn stand-ins)\n";
  return failed ? 1 : 0;
}

}  // namespace nnrun::tool
