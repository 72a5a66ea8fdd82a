// Config files as located trees. Step 1 of 2: the files and overrides are read here, before any plugin is loaded;
// merging and checking (merge.hpp, settings.hpp) need to know the components.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostic.hpp"

namespace nnrun::core {

// A value of a config. Scalars stay text: what they mean depends on the parameter that they are for.
struct Node {
  enum class Kind { null, scalar, sequence, map };
  struct Entry;

  Kind kind = Kind::null;
  bool quoted = false;  // scalar
  std::string text;     // scalar; null: what was written, "" where the value was left out
  std::vector<Node> items;
  std::vector<Entry> entries;  // in the file's order, keys are unique
  Location where;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_map() const { return kind == Kind::map; }
  const Entry* find(std::string_view key) const;
  Entry* find(std::string_view key);
};

struct Node::Entry {
  std::string key;
  Location key_where;
  Node value;
};

// What a config may cost. A config is written by a person; whatever exceeds this is a mistake or an attack.
constexpr std::size_t max_config_bytes = std::size_t{1} << 20;
constexpr std::size_t max_config_depth = 32;
constexpr std::size_t max_config_nodes = 100'000;
constexpr std::size_t max_config_keys = 1000;  // of one map
constexpr std::size_t max_config_extends = 16;

// One document. Throws DiagnosticError, with all errors that can be found at once.
Node parse_yaml(const std::shared_ptr<const Source>& source);
Node parse_yaml(std::string name, std::string text);

// `train.optimizer.adam.learning_rate=0.1`, or `model.layers[3].dropout.rate=0.2`
struct PathSegment {
  std::string name;  // "" for an index
  std::size_t index = 0;
  bool is_index = false;
  Location where;
};
struct Override {
  std::vector<PathSegment> path;
  Node value;
};
Override parse_override(std::string text);

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
