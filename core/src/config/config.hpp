// Config files as located trees. Step 1 of 2: the files and overrides are read here, before any plugin is loaded;
// merging and checking (merge.hpp, settings.hpp) need to know the components.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/node.hpp"
#include "config/override.hpp"

namespace nnrun::core {

constexpr std::size_t max_config_extends = 16;

struct PluginPath {
  std::string path;  // absolute: relative ones start at the folder of the file that names them
  Location where;
};
PluginPath resolve_plugin_path(const std::string& path, const Location& where);

// What step 1 knows.
struct Config {
  std::string name;                 // of the file, as the user wrote it
  std::vector<Node> files;          // the file at the end of `extends` first, the user's file last; `extends` removed
  std::vector<Override> overrides;  // from left to right
  std::vector<PluginPath> plugins;  // to be loaded before step 2
};
Config load_config(const std::string& path, const std::vector<std::string>& overrides = {});
// From a checkpoint; `name` is for messages. `extends` is refused: a resolved config has none.
Config config_from_text(std::string name, std::string text, const std::vector<std::string>& overrides = {});

}  // namespace nnrun::core
