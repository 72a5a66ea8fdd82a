#include "commands.hpp"
#include "plugin_check/plugin_check.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>

namespace nnrun::tool {

namespace {

using core::CheckResult;

// What is being checked, for when it crashes: a signal handler can do little more than write bytes.
char current_check[256];

extern "C" void report_crash(int signal) {
  const auto say = [](const char* text) {
    const auto written = write(STDERR_FILENO, text, std::strlen(text));
    (void)written;
  };
  say(signal == SIGABRT ? "\nnnrun: error: the plugin aborted during the check: "
                        : "\nnnrun: error: the plugin crashed during the check: ");
  say(current_check);
  say("\n");
  _exit(1);
}

void remember(const std::string& component, const std::string& check) {
  const std::string text = component + ": " + check;
  const std::size_t length = std::min(text.size(), sizeof current_check - 1);
  std::memcpy(current_check, text.data(), length);
  current_check[length] = '\0';
}

const char* word(CheckResult::Outcome outcome) {
  switch (outcome) {
    case CheckResult::Outcome::ok: return "ok";
    case CheckResult::Outcome::failed: return "FAILED";
    default: return "not checked";
  }
}

const core::Registry::Plugin& load(core::Registry& registry, const Options& options) {
  const std::filesystem::path file = options.subject;
  if (!registry.load_file(file)) {
    throw core::DiagnosticError({}, file.string() + " cannot be loaded: " + registry.skipped().back().reason);
  }
  // What it needs of others: kernels, initializers, schedules.
  core::load_plugins(registry, environment_options(options));
  return registry.plugins().front();
}

}  // namespace

int check_plugin(const Options& options) {
  core::Registry registry;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(signal, report_crash);
  remember(options.subject, "loading");
  const core::Registry::Plugin plugin = load(registry, options);
  std::cout << plugin.plugin->name << " " << plugin.plugin->version << ", built by " << plugin.plugin->build << "\n";

  core::CheckOptions checks;
  checks.starting = remember;
  std::size_t ok = 0, failed = 0, not_checked = 0;
  for (std::uint32_t i = 0; i < plugin.plugin->component_count; ++i) {
    const nnrun_component& component = *plugin.plugin->components[i];
    std::cout << "\n"
              << component.kind << " " << component.name << ": " << (component.doc != nullptr ? component.doc : "") << "\n"
              << std::flush;
    const std::vector<CheckResult> results = core::check_component(component, registry, checks);
    std::vector<std::vector<std::string>> rows;
    for (const CheckResult& result : results) {
      rows.push_back({"  " + result.check, word(result.outcome), result.detail});
      (result.outcome == CheckResult::Outcome::ok ? ok : result.outcome == CheckResult::Outcome::failed ? failed : not_checked) += 1;
    }
    std::cout << table(rows, 3) << std::flush;
  }
  std::cout << "\n" << ok << " ok, " << failed << " failed, " << not_checked << " not checked\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace nnrun::tool
