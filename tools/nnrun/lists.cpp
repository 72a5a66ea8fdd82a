#include "base/cpu.hpp"
#include "commands.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

int list_plugins(const Options& options) {
  core::Registry registry;
  core::load_plugins(registry, environment_options(options));
  if (options.json) {
    nlohmann::ordered_json plugins = nlohmann::ordered_json::array(), skipped = nlohmann::ordered_json::array();
    for (const auto& entry : registry.plugins()) {
      nlohmann::ordered_json components = nlohmann::ordered_json::array();
      for (std::uint32_t i = 0; i < entry.plugin->component_count; ++i) {
        const nnrun_component& component = *entry.plugin->components[i];
        components.push_back({{"kind", component.kind}, {"name", component.name}, {"doc", component.doc}});
      }
      plugins.push_back({{"name", entry.plugin->name},
                         {"version", entry.plugin->version},
                         {"build", entry.plugin->build},
                         {"file", entry.file.string()},
                         {"components", components}});
    }
    for (const auto& entry : registry.skipped()) skipped.push_back({{"file", entry.file.string()}, {"reason", entry.reason}});
    std::cout << nlohmann::ordered_json{{"plugins", plugins}, {"skipped", skipped}}.dump(2) << "\n";
    return 0;
  }
  for (const auto& entry : registry.plugins()) {
    std::cout << entry.plugin->name << " " << entry.plugin->version << "  (" << entry.file.string() << ", built by " << entry.plugin->build
              << ")\n";
    std::string kind;
    for (std::uint32_t i = 0; i < entry.plugin->component_count; ++i) {
      const nnrun_component& component = *entry.plugin->components[i];
      std::cout << (kind == component.kind ? ", " : std::string(kind.empty() ? "" : "\n") + "  " + component.kind + ": ") << component.name;
      kind = component.kind;
    }
    std::cout << "\n";
  }
  if (!registry.skipped().empty()) std::cout << "\nskipped:\n";
  for (const auto& entry : registry.skipped()) std::cout << "  " << entry.file.string() << ": " << entry.reason << "\n";
  if (registry.plugins().empty()) std::cout << "no plugins were found; see --plugin-path and NNRUN_PLUGIN_PATH\n";
  return 0;
}

int list_kernels(const Options& options) {
  core::Registry registry;
  core::load_plugins(registry, environment_options(options));
  const core::Dispatch dispatch(registry, core::KernelSettings{});
  const std::vector<std::string> tables = registry.names("kernels");
  if (options.json) {
    nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
    for (const std::string& name : dispatch.names()) {
      nlohmann::ordered_json providers = nlohmann::ordered_json::array();
      for (const auto& entry : dispatch.entries(name)) {
        providers.push_back({{"table", entry.table},
                             {"algorithm", entry.kernel->algorithm == nullptr ? "" : entry.kernel->algorithm},
                             {"score", entry.kernel->score},
                             {"all_shapes", entry.kernel->supports == nullptr}});
      }
      kernels.push_back({{"name", name}, {"providers", providers}});
    }
    std::cout << nlohmann::ordered_json{{"cpu_features", core::cpu_features()}, {"kernels", kernels}}.dump(2) << "\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"kernel", "runs", "passed over"}};
  for (const std::string& name : dispatch.names()) {
    std::vector<std::string> row{name, "", ""};
    for (const auto& entry : dispatch.entries(name)) {
      const std::string how = entry.kernel->algorithm == nullptr ? "" : std::string(", ") + entry.kernel->algorithm;
      const std::string score =
          entry.table + how + " (score " + std::to_string(entry.kernel->score) + (entry.kernel->supports ? ", where the shape fits)" : ")");
      (row[1].empty() ? row[1] : row[2]) += (row[1].empty() || row[2].empty() ? "" : ", ") + score;
    }
    rows.push_back(row);
  }
  std::cout << table(rows, 3) << "\nThis CPU has:";
  for (const std::string& feature : core::cpu_features()) std::cout << " " << feature;
  std::cout << "\n";
  for (const auto& entry : registry.skipped()) std::cout << "skipped: " << entry.file.string() << ": " << entry.reason << "\n";
  return 0;
}

}  // namespace nnrun::tool
