// nnrun inside your own program: train a config, load a checkpoint, predict.
//
//     nnrun::Runtime runtime;
//     auto result = runtime.train("configs/mnist_mlp.yaml", {"train.epochs=1"});
//     nnrun::Model model = runtime.load(result.checkpoint);
//     auto answer = model.predict_file("seven.pgm");      // answer.class_name, answer.probabilities
//
// Link NNRun::runtime. Errors are thrown as nnrun::RuntimeError; its what() is the text that the command line would print.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#define NNRUN_API __attribute__((visibility("default")))

namespace nnrun {

class NNRUN_API RuntimeError : public std::runtime_error {
 public:
  RuntimeError(const std::string& message, int exit_code) : std::runtime_error(message), exit_code_(exit_code) {}
  // As the command line's: 1 failed while running, 2 wrong config or arguments.
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// `overrides` are as on the command line: "train.batch=32". `plugin_folders` are searched before NNRUN_PLUGIN_PATH and the
// folders that nnrun was installed with. `data`: where relative data paths start; "": NNRUN_DATA, or ./datasets.
struct RuntimeOptions {
  std::vector<std::string> plugin_folders;
  std::string data;
};

struct TrainResult {
  std::string folder;      // runs/<config>/<number>
  std::string checkpoint;  // the weights that were tested
  double test_loss = 0;
  std::vector<std::pair<std::string, double>> metrics;  // on the test samples; fractions, eg: {"accuracy", 0.981}
  std::string weights_sha256;
  int signal = 0;  // SIGINT or SIGTERM stopped it; everything is saved
};

struct EvaluationResult {
  std::int64_t samples = 0;
  double loss = 0;
  std::vector<std::pair<std::string, double>> metrics;
};

struct Prediction {
  std::size_t class_index = 0;
  std::string class_name;
  std::vector<float> probabilities;  // one a class
};

// A trained net. Not thread-safe; one a thread.
class NNRUN_API Model {
 public:
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  // One sample as the net takes it (behind the transforms), row-major, channels last: input_size() floats.
  Prediction predict(std::span<const float> sample);
  // A file that the config's dataset can read, eg: a picture. It is prepared as the training data was.
  Prediction predict_file(const std::string& file, std::int64_t index = 0);
  std::int64_t input_size() const;
  // On the config's test data.
  EvaluationResult evaluate();

 private:
  friend class Runtime;
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class NNRUN_API Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});

  // Trains, validates and tests. `resume`: go on with the config's latest run where there is one.
  TrainResult train(const std::string& config, const std::vector<std::string>& overrides = {}, bool resume = false);
  Model load(const std::string& checkpoint, const std::vector<std::string>& overrides = {});

 private:
  RuntimeOptions options_;
};

}  // namespace nnrun
