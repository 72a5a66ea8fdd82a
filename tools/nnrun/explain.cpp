#include "config/explain.hpp"

#include "commands.hpp"
#include "config/json_schema.hpp"

#include <iostream>

namespace nnrun::tool {

int explain(const Options& options) {
  core::Registry registry;
  core::load_plugins(registry, environment_options(options));
  std::cout << core::explain(options.subject, registry);
  return 0;
}

int print_schema(const Options& options) {
  core::Registry registry;
  core::load_plugins(registry, environment_options(options));
  std::cout << core::json_schema(registry) << "\n";
  return 0;
}

}  // namespace nnrun::tool
