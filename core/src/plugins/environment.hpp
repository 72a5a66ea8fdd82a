// A checked config with its plugins, kernels and threads: what every command starts from.
#pragma once

#include "config/settings.hpp"
#include "plugins/dispatch.hpp"
#include "plugins/host.hpp"
#include "plugins/registry.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace nnrun::core {

struct EnvironmentOptions {
  std::vector<std::filesystem::path> plugin_folders;  // searched first
  HostServices::LogFunction log;                      // empty: to stderr, from warnings on
  std::vector<NamedText> kernels;                     // as if they were in run.kernels too
};

// All plugins of the search path; without a config.
void load_plugins(Registry& registry, const EnvironmentOptions& options);

class Environment {
 public:
  // Throws DiagnosticError with all that is wrong.
  Environment(const Config& config, const EnvironmentOptions& options);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const Registry& registry() const { return registry_; }
  const Settings& settings() const { return settings_; }
  const Dispatch& dispatch() const { return *dispatch_; }
  const HostServices& host() const { return *host_; }

 private:
  Registry registry_;
  Settings settings_;
  std::unique_ptr<Dispatch> dispatch_;
  std::unique_ptr<HostServices> host_;
};

}  // namespace nnrun::core
