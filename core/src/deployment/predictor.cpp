#include "deployment/predictor.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>

namespace nnrun::core {

Predictor::Predictor(const std::filesystem::path& file, const EnvironmentOptions& options, const std::vector<std::string>& overrides)
    : checkpoint_(file) {
  environment_ = std::make_unique<Environment>(config_from_text(file.string() + " (its config)", description().config, overrides), options);
  const Settings& settings = environment_->settings();
  const HostServices& host = environment_->host();
  transforms_ = std::make_unique<Transforms>(settings.data, description().sample, settings.seed, host);
  network_ = std::make_unique<Network>(settings.model, host, batch_of(transforms_->output(), 1), false, settings.seed, nullptr,
                                       PlanOptions{.fold = true});
  checkpoint_.restore(*parameters(), false);
  loss_ = std::make_unique<LossFunction>(*settings.train.loss, host, network_->output(), description().classes, description().targets);
  source_ = std::make_unique<Instance>(*settings.data.source, host.c());
  raw_ = Buffer(tensor_bytes(description().sample));
  scratch_ = Buffer(transforms_->scratch_bytes());
}

std::string Predictor::class_name(std::size_t index) const {
  const auto& names = description().class_names;
  return index < names.size() ? names[index] : std::to_string(index);
}

std::int64_t Predictor::input_count() const { return Tensor(transforms_->output()).count(); }

std::vector<float> Predictor::predict_file(const std::string& file, std::int64_t index) {
  const auto& table = source_->vtable<nnrun_dataset_vtable>();
  if (table.read_file == nullptr) {
    throw RunError(std::string(source_->spec().component->name) + " data cannot be read from single files, so there is nothing to predict");
  }
  nnrun_tensor sample = description().sample;
  sample.data = raw_.data();
  nnrun_error error{};
  if (table.read_file(source_->self(), file.c_str(), index, &sample, &error) != 0) throw RunError(error.message);
  transforms_->apply(raw_.data(), network_->input().data, scratch_.data(), 0, 0, false);
  return run();
}

std::vector<float> Predictor::predict(std::span<const float> sample) {
  if (static_cast<std::int64_t>(sample.size()) != input_count()) {
    throw RunError("a sample has " + std::to_string(input_count()) + " numbers " + to_string(Tensor(transforms_->output()).shape()) +
                   ", got " + std::to_string(sample.size()));
  }
  std::copy(sample.begin(), sample.end(), static_cast<float*>(network_->input().data));
  return run();
}

std::vector<float> Predictor::run() {
  network_->forward(0);
  const Tensor output(network_->output());
  std::vector<float> probabilities(static_cast<std::size_t>(description().classes > 0 ? description().classes : output.count()));
  nnrun_tensor result = make_tensor(NNRUN_F32, Shape{1, static_cast<std::int64_t>(probabilities.size())}, probabilities.data());
  loss_->probabilities(network_->output(), result);
  return probabilities;
}

}  // namespace nnrun::core
