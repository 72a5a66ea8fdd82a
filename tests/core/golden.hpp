// Bad configs and the messages that they must give: tests/configs/bad.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/component_lookup.hpp"

namespace nnrun::test {

struct BadConfig {
  std::string name;                    // eg: "201_leading_zero"
  std::vector<std::string> overrides;  // of NAME.args, one a line
};
std::vector<BadConfig> bad_configs(const std::filesystem::path& folder);

// What stderr gets for one of them; "" where the config is accepted. The current directory must be the folder.
std::string messages_of(const BadConfig& config, const core::ComponentLookup& lookup);

// The golden text; with NNRUN_UPDATE_GOLDEN=1 in the environment, writes `actual` first.
std::string golden_text(const std::filesystem::path& file, const std::string& actual);

}  // namespace nnrun::test
