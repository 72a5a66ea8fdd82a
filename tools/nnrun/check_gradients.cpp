#include "commands.hpp"
#include "config/diagnostic.hpp"
#include "config/scalar.hpp"
#include "inspection/gradient_check.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

namespace {

using core::GradientRow;

const char* word(const GradientRow& row) {
  if (row.outcome == GradientRow::Outcome::failed || row.net_failed) return "FAILED";
  return row.outcome == GradientRow::Outcome::ok ? "ok" : "not checked";
}

std::string error_text(double error) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1e", error);
  return text;
}

std::string alone(const GradientRow& row) {
  if (row.directions == 0) return "";
  return row.error == 0 && !row.detail.empty() ? row.detail : error_text(row.error);
}

void print_json(const Options& options, const core::GradientReport& report) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const GradientRow& row : report.rows) {
    nlohmann::ordered_json json{{"layer", row.layer}, {"tensor", row.tensor}, {"verdict", word(row)}, {"directions", row.directions}};
    if (row.directions > 0) json["relative_error"] = row.error;
    if (row.net_error) json["relative_error_through_net"] = *row.net_error;
    if (!row.detail.empty()) json["detail"] = row.detail;
    rows.push_back(std::move(json));
  }
  nlohmann::ordered_json json{
      {"config", options.subject}, {"samples", report.samples}, {"loss", report.loss}, {"passed", report.passed()}, {"gradients", rows}};
  if (const GradientRow* fault = report.fault()) json["fault"] = {{"layer", fault->layer}, {"tensor", fault->tensor}};
  std::cout << json.dump(2) << "\n";
}

}  // namespace

int check_gradients(const Options& options) {
  const core::Environment environment(core::load_config(options.subject, options.words), environment_options(options));
  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  const core::GradientReport report = core::check_gradients(environment, data);
  if (options.json) {
    print_json(options, report);
  } else {
    char loss[32];
    std::snprintf(loss, sizeof loss, "%.4f", report.loss);
    std::cout << options.subject << ": gradients against finite differences, on " << report.samples << " training samples (loss " << loss
              << ")\n"
              << "alone: the layer on its own inputs; in the net: the loss along the gradient, as training runs it\n\n";
    std::vector<std::vector<std::string>> rows{{"layer", "gradient", "verdict", "alone", "directions", "in the net"}};
    for (const GradientRow& row : report.rows) {
      rows.push_back(
          {row.layer, row.tensor, word(row), alone(row), std::to_string(row.directions), row.net_error ? error_text(*row.net_error) : ""});
    }
    std::cout << table(rows, 3) << "\nrelative errors; up to " << core::format_number(core::GradientReport::layer_bound) << " alone and "
              << core::format_number(core::GradientReport::net_bound) << " in the net are rounding and curvature\n";
    const auto not_checked =
        std::ranges::count_if(report.rows, [](const GradientRow& row) { return std::string(word(row)) == "not checked"; });
    if (not_checked > 0) std::cout << not_checked << " not checked:\n";
    for (const GradientRow& row : report.rows) {
      if (std::string(word(row)) == "not checked") std::cout << "  " << row.layer << ", " << row.tensor << ": " << row.detail << "\n";
    }
  }
  const GradientRow* fault = report.fault();
  if (fault == nullptr) return 0;
  std::cout.flush();
  const std::string what =
      fault->layer == "loss" ? "the gradient of the loss is wrong: " : fault->layer + ": the gradient " + fault->tensor + " is wrong: ";
  std::fputs(core::render(core::make_error(fault->where, what + fault->detail)).c_str(), stderr);
  return 1;
}

}  // namespace nnrun::tool
