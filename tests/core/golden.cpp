#include "golden.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "config/settings.hpp"

namespace nnrun::test {

namespace fs = std::filesystem;

std::vector<BadConfig> bad_configs(const fs::path& folder) {
  std::vector<BadConfig> configs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    BadConfig config;
    config.name = entry.path().stem().string();
    std::ifstream arguments(folder / (config.name + ".args"));
    for (std::string line; std::getline(arguments, line);) config.overrides.push_back(line);
    configs.push_back(std::move(config));
  }
  std::sort(configs.begin(), configs.end(), [](const BadConfig& a, const BadConfig& b) { return a.name < b.name; });
  return configs;
}

std::string messages_of(const BadConfig& config, const core::ComponentLookup& lookup) {
  try {
    core::check(core::load_config(config.name + ".yaml", config.overrides), lookup);
  } catch (const core::DiagnosticError& error) {
    return core::render(error.diagnostics());
  }
  return {};
}

std::string golden_text(const fs::path& file, const std::string& actual) {
  const char* update = std::getenv("NNRUN_UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1") std::ofstream(file, std::ios::binary) << actual;
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace nnrun::test
