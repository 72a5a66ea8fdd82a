#include "commands.hpp"
#include "deployment/exporting.hpp"

#include <iostream>

namespace nnrun::tool {

int export_model(const Options& options) {
  core::export_all(options.subject, environment_options(options), options.data, options.words, options.folder,
                   [](const core::Export& made) { std::cout << core::describe(made) << std::flush; });
  return 0;
}

}  // namespace nnrun::tool
