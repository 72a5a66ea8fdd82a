#include "commands.hpp"
#include "deployment/quantization.hpp"

#include <iostream>

namespace nnrun::tool {

int quantize(const Options& options) {
  core::quantize_all(options.subject, environment_options(options), options.data, options.words, [](const core::Quantization& q) {
    std::cout << core::describe(q) << "\n" << std::flush;
  });
  return 0;
}

}  // namespace nnrun::tool
