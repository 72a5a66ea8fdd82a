// What the command line changes in a config.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/node.hpp"

namespace nnrun::core {

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

}  // namespace nnrun::core
