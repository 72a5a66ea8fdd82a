#include <catch2/catch.hpp>

#include <filesystem>

#include "fake_components.hpp"
#include "golden.hpp"

using namespace nnrun::test;

// The built-in components' names and parameters, so the messages are those of `nnrun plan`. To write the texts anew, after
// reading the difference: NNRUN_UPDATE_GOLDEN=1 test_core "bad configs*"
TEST_CASE("bad configs give the messages in their .txt") {
  const std::filesystem::path folder = std::filesystem::path(NNRUN_TEST_CONFIGS) / "bad";
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder);  // so that no message depends on where this runs
  const FakeLookup lookup;
  const auto configs = bad_configs(".");
  CHECK(configs.size() >= 65);
  for (const BadConfig& config : configs) {
    INFO(config.name);
    const std::string messages = messages_of(config, lookup);
    CHECK_FALSE(messages.empty());
    CHECK(messages == golden_text(config.name + ".txt", messages));
  }
  std::filesystem::current_path(before);
}
