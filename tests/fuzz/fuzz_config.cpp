// Any bytes as a config: parse, merge with overrides, check; what passes must survive being written and read again.
//
// The first lines that start with "#=" are taken as command-line overrides, so that one input drives both.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/merge.hpp"
#include "config/settings.hpp"
#include "fake_components.hpp"

namespace {

constexpr std::size_t most_overrides = 8;

std::vector<std::string> take_overrides(std::string_view& text) {
  std::vector<std::string> overrides;
  while (text.starts_with("#=") && overrides.size() < most_overrides) {
    const std::size_t end = text.find('\n');
    overrides.emplace_back(text.substr(2, end - 2));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return overrides;
}

void fail(const char* what, const std::string& text, const std::string& detail) {
  std::fprintf(stderr, "%s\n--- resolved\n%s--- detail\n%s\n", what, text.c_str(), detail.c_str());
  std::abort();
}

void check_round_trip(const nnrun::core::Settings& settings, const nnrun::core::ComponentLookup& lookup) {
  using namespace nnrun::core;
  const std::string text = write_resolved(settings);
  try {
    const Settings again = check(config_from_text("resolved", text), lookup);
    const std::vector<std::string> changed = compare(settings, again);
    if (!changed.empty()) fail("a resolved config reads back differently", text, changed[0]);
    if (write_resolved(again) != text) fail("a resolved config is written differently the second time", text, write_resolved(again));
  } catch (const DiagnosticError& error) {
    fail("a resolved config does not read back", text, error.what());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nnrun::core;
  static const nnrun::test::FakeLookup lookup;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> overrides = take_overrides(text);
  try {
    const Config config = config_from_text("fuzz.yaml", std::string(text), overrides);
    check_round_trip(check(config, lookup), lookup);
  } catch (const DiagnosticError& error) {
    if (error.diagnostics().empty() || render(error.diagnostics(), true).empty()) fail("an error without a message", "", "");
  }
  return 0;
}
