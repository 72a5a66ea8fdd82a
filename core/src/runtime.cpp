#include <nnrun/runtime.hpp>

#include "base/error.hpp"
#include "deployment/predictor.hpp"
#include "training_run.hpp"

#include <algorithm>

namespace nnrun {

namespace {

template <class Body>
auto translate_errors(Body&& body) {
  try {
    return body();
  } catch (const core::DiagnosticError& e) {
    throw RuntimeError(e.what(), 2);
  } catch (const std::exception& e) {
    throw RuntimeError(e.what(), 1);
  }
}

std::vector<std::filesystem::path> folders(const RuntimeOptions& options) {
  return {options.plugin_folders.begin(), options.plugin_folders.end()};
}

Prediction best_of(std::vector<float> probabilities, const core::Predictor& predictor) {
  Prediction prediction;
  prediction.class_index = static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  prediction.class_name = predictor.class_name(prediction.class_index);
  prediction.probabilities = std::move(probabilities);
  return prediction;
}

}  // namespace

struct Model::Impl {
  std::string data;
  core::Predictor predictor;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Prediction Model::predict(std::span<const float> sample) {
  return translate_errors([&] { return best_of(impl_->predictor.predict(sample), impl_->predictor); });
}

Prediction Model::predict_file(const std::string& file, std::int64_t index) {
  return translate_errors([&] { return best_of(impl_->predictor.predict_file(file, index), impl_->predictor); });
}

std::int64_t Model::input_size() const { return impl_->predictor.input_count(); }

EvaluationResult Model::evaluate() {
  return translate_errors([&] {
    const core::Environment& environment = impl_->predictor.environment();
    core::Data data(environment.settings(), environment.host(), core::find_data_root(impl_->data));
    const core::Evaluation result = core::Evaluator(environment, data, impl_->predictor.parameters()).run(data.test());
    return EvaluationResult{result.samples, result.loss, result.metrics};
  });
}

Runtime::Runtime(RuntimeOptions options) : options_(std::move(options)) {}

TrainResult Runtime::train(const std::string& config, const std::vector<std::string>& overrides, bool resume) {
  return translate_errors([&] {
    core::TrainingRunOptions options;
    options.config = config;
    options.overrides = overrides;
    options.plugin_folders = folders(options_);
    options.data = options_.data;
    if (resume) options.resume = "";
    const core::TrainingResult result = core::train_config(options);
    const char* weights = result.best_weights ? "best.safetensors" : "last.safetensors";
    return TrainResult{result.folder.string(), (result.folder / weights).string(),
                       result.test.loss,       result.test.metrics,
                       result.weights_sha256,  result.signal};
  });
}

Model Runtime::load(const std::string& checkpoint, const std::vector<std::string>& overrides) {
  return translate_errors([&] {
    core::EnvironmentOptions options;
    options.plugin_folders = folders(options_);
    return Model(std::make_unique<Model::Impl>(Model::Impl{options_.data, core::Predictor(checkpoint, options, overrides)}));
  });
}

}  // namespace nnrun
