// A config as a located tree, before anyone knows what its values mean.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace nnrun::core {

// A value of a config. Scalars stay text: what they mean depends on the parameter that they are for.
struct Node {
  enum class Kind {
    null,
    scalar,
    sequence,
    map
  };
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

}  // namespace nnrun::core
