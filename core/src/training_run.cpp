#include "training_run.hpp"

#include "base/log.hpp"

namespace nnrun::core {

namespace {

// The checkpoint to go on from, if the run has one; throws where the config has changed too much.
std::optional<Checkpoint> find_checkpoint(const RunFolder& folder, const Environment& environment) {
  if (!std::filesystem::exists(folder.last())) return std::nullopt;
  Checkpoint checkpoint(folder.last());
  const Config before = config_from_text(folder.last().string() + " (its config)", checkpoint.description().config);
  const auto changed = differences_that_matter(check(before, environment.registry()), environment.settings());
  if (!changed.empty()) {
    std::string paths;
    for (const std::string& path : changed) paths += (paths.empty() ? "" : ", ") + path;
    throw RunError("cannot resume " + folder.path().string() + ": these have changed since: " + paths +
                   "; undo that, or start a new run (without --resume)");
  }
  return checkpoint;
}

}  // namespace

TrainingResult train_config(const TrainingRunOptions& options) {
  Log log;
  EnvironmentOptions environment_options;
  environment_options.plugin_folders = options.plugin_folders;
  environment_options.log = [&log](nnrun_log_level level, const std::string& message) { log.write(level, message); };
  const Environment environment(load_config(options.config, options.overrides), environment_options);
  const Settings& settings = environment.settings();
  const DataRoot root = find_data_root(options.data);
  std::optional<RunFolder> folder;
  std::optional<Checkpoint> checkpoint;
  if (options.resume) {
    folder = RunFolder::find(settings.run.folder.path, settings.name, *options.resume);
    if (folder) checkpoint = find_checkpoint(*folder, environment);
  }
  const auto make_folder = [&] {
    RunFolder chosen = folder ? std::move(*folder) : RunFolder::create(settings.run.folder.path, settings.name);
    log.open_file(chosen.log());
    return chosen;
  };
  Trainer trainer(environment, root, make_folder, std::move(checkpoint));
  const TrainingResult result = trainer.run();
  if (result.signal == 0 && !settings.quantize.empty()) {
    const char* tested = result.best_weights ? "best.safetensors" : "last.safetensors";
    quantize_all(result.folder / tested, environment_options, options.data, {}, [&](const Quantization& q) {
      if (options.quantized) options.quantized(q);
    });
  }
  return result;
}

}  // namespace nnrun::core
