#include "plugins/environment.hpp"

#include "base/threads.hpp"

#include <cstdio>

namespace nnrun::core {

namespace {

void log_to_stderr(nnrun_log_level level, const std::string& message) {
  if (level < NNRUN_LOG_WARNING) return;
  std::fprintf(stderr, "nnrun: %s: %s\n", level == NNRUN_LOG_WARNING ? "warning" : "error", message.c_str());
}

}  // namespace

void load_plugins(Registry& registry, const EnvironmentOptions& options) {
  for (const std::filesystem::path& folder : plugin_folders(options.plugin_folders)) registry.load_folder(folder);
}

Environment::Environment(const Config& config, const EnvironmentOptions& options) {
  load_plugins(registry_, options);
  for (const PluginPath& plugin : config.plugins) {
    if (!registry_.load_file(plugin.path)) {
      throw DiagnosticError(plugin.where, "the plugin " + plugin.path + " cannot be used: " + registry_.skipped().back().reason);
    }
  }
  settings_ = check(config, registry_);
  auto& tables = settings_.run.kernels.tables;
  tables.insert(tables.end(), options.kernels.begin(), options.kernels.end());
  dispatch_ = std::make_unique<Dispatch>(registry_, settings_.run.kernels);
  const int threads = settings_.run.threads == 0 ? available_threads() : settings_.run.threads;
  host_ = std::make_unique<HostServices>(*dispatch_, threads, options.log ? options.log : log_to_stderr);
  if (!dispatch_->left_out().empty()) host_->log(NNRUN_LOG_WARNING, dispatch_->left_out());
}

}  // namespace nnrun::core
