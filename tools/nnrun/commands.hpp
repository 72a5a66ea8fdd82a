// The verbs of the command line: one function, one file each. They throw DiagnosticError (exit code 2) or RunError (1), and
// return the exit code otherwise.
#pragma once

#include "plugins/environment.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nnrun::tool {

struct Options {
  std::string subject;             // a config, a checkpoint, a component, ...
  std::vector<std::string> words;  // overrides, or files
  std::vector<std::string> plugin_folders;
  std::string data;
  std::optional<std::string> resume;
  bool json = false;
  double seconds = 2;      // bench: how long each measurement may take
  std::string tune;        // bench: a config to write, with the kernels that were the quickest
  bool why = false;        // plan
  std::string kind;        // new
  std::int64_t index = 0;  // predict, trace
  // trace
  std::string input;    // "", ones, ramp, or a file
  std::string against;  // "", scalar, or a .npz file
  std::string save;     // a .npz file
  std::optional<std::int64_t> label;
  std::int64_t batch = 1;
  double tolerance = 1e-4;
  bool fused = false, inference = false;
  std::string outputs;  // eval: a .npy file
  std::string folder;   // export: where files go
  // inspect
  std::string npy;      // a folder
  std::string picture;  // a .png file
};

int train(const Options& options);
int plan(const Options& options);
int evaluate(const Options& options);
int predict(const Options& options);
int bench(const Options& options);
int tune(const Options& options);  // bench --tune
int explain(const Options& options);
int list_plugins(const Options& options);
int list_kernels(const Options& options);
int print_schema(const Options& options);
int new_plugin(const Options& options);
int check_plugin(const Options& options);
int check_gradients(const Options& options);
int trace(const Options& options);
int inspect(const Options& options);
int quantize(const Options& options);
int export_model(const Options& options);
int profile(const Options& options);

core::EnvironmentOptions environment_options(const Options& options);

// "1,234,567"
std::string with_commas(std::int64_t number);
// Rows of cells, columns aligned; the first row is the heading. `left`: how many columns from the left are text.
std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t left);

}  // namespace nnrun::tool
