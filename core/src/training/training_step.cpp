#include "training/training_step.hpp"

#include <algorithm>
#include <cmath>

namespace nnrun::core {

namespace {

std::string place_of(const nnrun_progress& progress) {
  return "step " + std::to_string(progress.step + 1) + " (epoch " + std::to_string(progress.epoch + 1) + ")";
}

constexpr const char* advice = "a smaller train.optimizer learning_rate often helps; the last checkpoint is from before";

}  // namespace

TrainingStep::TrainingStep(const Environment& environment, Data& data)
    : settings_(environment.settings()),
      data_(data),
      network_(settings_.model, environment.host(), batch_of(data.sample(), settings_.train.batch), true, settings_.seed),
      loss_(*settings_.train.loss, environment.host(), network_.output(), data.classes(), data.targets()),
      updater_(*settings_.train.optimizer, environment.host(), *network_.parameters(),
               {settings_.train.gradient_clipping, settings_.train.accumulate}),
      labels_(label_bytes(data, settings_.train.batch)) {
  if (data_.mixes()) mixed_labels_ = Buffer(tensor_bytes(mixed_labels_of(data_, settings_.train.batch, nullptr)));
  if (BatchAhead::is_worthwhile(data_)) ahead_.emplace(data_, environment.host(), settings_.train.batch);
  network_.initialize_parameters();
}

void TrainingStep::load(std::span<const std::uint32_t> positions, const nnrun_progress& progress,
                        std::span<const std::uint32_t> following) {
  network_.set_batch(static_cast<std::int64_t>(positions.size()));
  if (ahead_) {
    ahead_->take(positions, progress.epoch, network_.input(), labels_.data());
    ahead_->begin(following, progress.epoch);
  } else {
    data_.load(data_.train(), positions, progress.epoch, true, network_.input(), labels_.data(), following);
  }
  if (data_.mixes()) {
    data_.mix(data_.train(), positions, progress.epoch, network_.input(), labels_.data(), mixed_labels_.as<float>());
  }
}

nnrun_tensor TrainingStep::labels(std::int64_t batch) {
  return data_.mixes() ? mixed_labels_of(data_, batch, mixed_labels_.data()) : labels_of(data_, batch, labels_.data());
}

TrainingStep::Result TrainingStep::run(std::span<const std::uint32_t> positions, const nnrun_progress& progress,
                                       std::span<const std::uint32_t> next) {
  const auto batch = static_cast<std::size_t>(settings_.train.batch);
  const auto batch_at = [&](std::size_t begin) { return positions.subspan(begin, std::min(batch, positions.size() - begin)); };
  Result result;
  result.learning_rate = updater_.begin(progress);
  std::int64_t pass = progress.step * settings_.train.accumulate;
  for (std::size_t begin = 0; begin < positions.size(); begin += batch, ++pass) {
    const auto part = batch_at(begin);
    const std::size_t behind = begin + part.size();
    const auto following = behind < positions.size() ? batch_at(behind) : next.first(std::min(batch, next.size()));
    load(part, progress, following);
    result.loss_sum += run_batch(part, progress, pass);
    updater_.end_batch(static_cast<std::int64_t>(part.size()));
  }
  result.gradient_norm = updater_.finish();
  if (const auto slot = updater_.not_finite()) {
    const Slot& weight = parameters()->weight_slots()[*slot];
    throw RunError("the gradient of " + weight.name + " is not finite (NaN or infinite) at " + place_of(progress) + "; " + advice);
  }
  return result;
}

double TrainingStep::run_batch(std::span<const std::uint32_t> positions, const nnrun_progress& progress, std::int64_t pass) {
  network_.forward(pass);
  const double loss_sum = loss_.run(network_.output(), labels(static_cast<std::int64_t>(positions.size())), &network_.output_gradient());
  if (!std::isfinite(loss_sum)) refuse_loss(positions, progress, pass);
  network_.backward(pass, &updater_);
  return loss_sum;
}

void TrainingStep::refuse_loss(std::span<const std::uint32_t> positions, const nnrun_progress& progress, std::int64_t pass) {
  // Layers may have worked in place: load the input again.
  load(positions, progress, {});
  const auto layer = network_.forward_until_not_finite(pass);
  const std::string where = layer ? "the first layer whose output is not finite is " + network_.plan().layers[*layer].name
                                  : "all layers' outputs are finite; the loss itself overflowed";
  throw RunError("the loss is not finite (NaN or infinite) at " + place_of(progress) + ": " + where + "; " + advice);
}

}  // namespace nnrun::core
