#include "commands.hpp"
#include "training_run.hpp"

#include <cstdio>
#include <iostream>

namespace nnrun::tool {

int train(const Options& options) {
  core::TrainingRunOptions run;
  run.config = options.subject;
  run.overrides = options.words;
  run.plugin_folders.assign(options.plugin_folders.begin(), options.plugin_folders.end());
  run.data = options.data;
  run.resume = options.resume;
  run.quantized = [](const core::Quantization& q) { std::cout << "\n" << core::describe(q) << std::flush; };
  const core::TrainingResult result = core::train_config(run);
  if (result.signal == 0) return 0;
  std::fprintf(stderr, "nnrun: stopped by signal %d; all is saved in %s; go on with: nnrun %s --resume\n", result.signal,
               result.folder.c_str(), options.subject.c_str());
  return 128 + result.signal;
}

}  // namespace nnrun::tool
