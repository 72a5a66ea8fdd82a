#include "training/trainer.hpp"

#include "base/interrupt.hpp"
#include "training/start_from.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nnrun::core {

namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

bool is_or_is_in(const std::string& path, std::string_view section) {
  return path.starts_with(section) && (path.size() == section.size() || path[section.size()] == '.' || path[section.size()] == '[');
}

std::vector<nnrun_field> evaluation_fields(const Evaluation& evaluation) {
  std::vector<nnrun_field> fields{field("loss", evaluation.loss)};
  for (const auto& [name, value] : evaluation.metrics) fields.push_back(field(name.c_str(), value));
  return fields;
}

void require_validation(const Settings& settings, const Data& data) {
  if (!settings.train.keep_best || data.validation().count() > 0) return;
  throw DiagnosticError(settings.train.keep_where, "train.keep: best needs data.validation to choose the best weights on");
}

void require_same_data(const std::optional<Checkpoint>& resume, const Data& data) {
  if (!resume || resume->description().drawn == data.drawn()) return;
  throw RunError("the run was on " + std::string(data.drawn() ? "real" : "drawn") + " data, now there is " +
                 (data.drawn() ? "drawn" : "real") + " data; start a new run (without --resume)");
}

// Other kernels round differently: another CPU, or NNRUN_KERNELS.
void require_same_kernels(const std::optional<Checkpoint>& resume, const HostServices& host) {
  if (!resume) return;
  const std::vector<std::string> now(host.kernels().begin(), host.kernels().end());
  const std::vector<std::string>& before = resume->description().kernels;
  const auto different = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  if (different.first == before.end() && different.second == now.end()) return;
  throw RunError("the run was on other kernels, so it would not go on to the same bits: it had " +
                 (different.first == before.end() ? std::string("none") : *different.first) + ", now there is " +
                 (different.second == now.end() ? std::string("none") : *different.second) +
                 "; unset NNRUN_KERNELS or use the same kind of CPU, or start a new run (without --resume)");
}

}  // namespace

std::vector<std::string> differences_that_matter(const Settings& before, const Settings& now) {
  std::vector<std::string> paths = compare(before, now);
  std::erase_if(paths, [&](const std::string& path) {
    const bool more_epochs = path == "train.epochs" && now.train.epochs >= before.train.epochs;
    return more_epochs || is_or_is_in(path, "run.threads") || is_or_is_in(path, "run.observers") || is_or_is_in(path, "run.folder") ||
           is_or_is_in(path, "train.checkpoint") || is_or_is_in(path, "quantize") || is_or_is_in(path, "plugins");
  });
  return paths;
}

ModelDescription describe_model(const Settings& settings, const Data& data, const HostServices& host) {
  ModelDescription description;
  description.config = write_resolved(settings);
  description.sample = data.raw_sample();
  description.classes = data.classes();
  description.targets = data.targets();
  description.class_names = data.class_names();
  description.drawn = data.drawn();
  description.kernels.assign(host.kernels().begin(), host.kernels().end());
  return description;
}

Trainer::Trainer(const Environment& environment, const DataRoot& root, const std::function<RunFolder()>& make_folder,
                 std::optional<Checkpoint> resume)
    : environment_(environment),
      settings_(environment.settings()),
      data_(settings_, environment.host(), root),
      step_(environment, data_),
      timer_(step_.network()),
      start_note_(resume ? std::string() : start_from(settings_.model.start_from, *step_.parameters())),
      average_(settings_.train.average > 0
                   ? std::make_optional<WeightAverage>(*step_.parameters(), settings_.train.average, environment.host())
                   : std::nullopt),
      evaluator_(environment, data_, tested()),
      // Before the observers: they cut what they wrote behind the checkpoint.
      folder_((require_validation(settings_, data_), require_same_data(resume, data_), require_same_kernels(resume, environment.host()),
               make_folder())),
      description_(describe_model(settings_, data_, environment.host())),
      state_(resume ? resume->state() : TrainingState{}),
      resumed_(resume.has_value()),
      observers_(settings_.run.observers, environment.host(), folder_.path(), state_.observer_positions),
      started_(Clock::now()),
      last_save_(started_) {
  if (resume) {
    resume->restore(*step_.parameters(), true, average_ ? average_->parameters().get() : nullptr);
    if (has_more_epochs()) state_.finished = false;
  }
  first_step_ = state_.step;
  write_atomically(folder_.config(), description_.config);
}

std::int64_t Trainer::steps_per_epoch() const { return (data_.train().count() + step_samples() - 1) / step_samples(); }

nnrun_progress Trainer::progress() const {
  nnrun_progress p{};
  p.size = sizeof p;
  p.step = state_.step;
  p.epoch = state_.epoch;
  p.steps_per_epoch = steps_per_epoch();
  p.epochs = settings_.train.epochs;
  return p;
}

double Trainer::seconds_left() const {
  const std::int64_t done = state_.step - first_step_;
  if (done == 0) return 0;
  const std::int64_t left = steps_per_epoch() * settings_.train.epochs - state_.step;
  return seconds_between(started_, Clock::now()) / static_cast<double>(done) * static_cast<double>(left);
}

void Trainer::tell_start() {
  std::vector<nnrun_field> fields{field("config", settings_.name.c_str()),
                                  field("folder", folder_.path().c_str()),
                                  field("data", data_.drawn() ? "drawn" : "real"),
                                  field("seed", static_cast<std::int64_t>(settings_.seed)),
                                  field("threads", static_cast<std::int64_t>(environment_.host().threads())),
                                  field("parameters", step_.parameters()->weight_count()),
                                  field("train_samples", data_.train().count()),
                                  field("validation_samples", data_.validation().count()),
                                  field("test_samples", data_.test().count()),
                                  field("batch", settings_.train.batch),
                                  field("epochs", settings_.train.epochs)};
  if (resumed_) fields.push_back(field("resumed_step", state_.step));
  observers_.tell("start", fields);
  const auto note = [&](const std::string& text) { observers_.tell("note", {field("text", text.c_str())}); };
  if (!data_.stand_in_reason().empty()) {
    note(data_.stand_in_reason() + ": drawn stand-ins are used; figures on them say nothing about the real data");
  }
  for (const std::string& text : data_.notes()) note(text);
  if (!start_note_.empty()) note(start_note_);
  if (const std::string lacking = environment_.host().lacking(); !lacking.empty()) note(lacking);
  if (data_.validation_overlaps_test()) {
    note("validation and test overlap: data.validation is a range of data.test");
  }
}

TrainingResult Trainer::run() {
  InterruptGuard interrupts;
  tell_start();
  while (has_more_epochs()) {
    if (!train_epoch()) return interrupted();
  }
  return test();
}

bool Trainer::train_epoch() {
  const std::int64_t count = data_.train().count();
  const std::int64_t batch = step_samples();
  if (settings_.train.shuffle) {
    shuffle(order_, count, settings_.seed, NNRUN_STREAM_ORDER, state_.epoch);
  } else {
    order_.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
  }
  // Empty behind the last one.
  const auto batch_at = [&](std::int64_t in_epoch) {
    const std::int64_t begin = std::min(in_epoch * batch, count);
    return std::span(order_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(std::min(batch, count - begin)));
  };
  double learning_rate = 0;
  auto clock = Clock::now();
  const std::int64_t session_first = state_.samples;
  double session_seconds = 0;
  for (std::int64_t in_epoch = state_.step - state_.epoch * steps_per_epoch(); in_epoch < steps_per_epoch(); ++in_epoch) {
    const auto positions = batch_at(in_epoch);
    timer_.before_step(state_.step);
    const TrainingStep::Result result = step_.run(positions, progress(), batch_at(in_epoch + 1));
    if (average_) average_->update(state_.step);
    ++state_.step;
    state_.loss_sum += result.loss_sum;
    state_.samples += static_cast<std::int64_t>(positions.size());
    learning_rate = result.learning_rate;
    const auto now = Clock::now();
    const double seconds = seconds_between(clock, now);
    clock = now;
    session_seconds += seconds;
    state_.seconds += seconds;
    state_.epoch_seconds += seconds;
    std::array<nnrun_field, 9> fields{field("epoch", state_.epoch + 1),
                                      field("step", state_.step),
                                      field("steps_per_epoch", steps_per_epoch()),
                                      field("steps", steps_per_epoch() * settings_.train.epochs),
                                      field("loss", result.loss_sum / static_cast<double>(positions.size())),
                                      field("learning_rate", learning_rate),
                                      field("samples_per_s", static_cast<double>(state_.samples - session_first) / session_seconds),
                                      field("seconds_left", seconds_left()),
                                      field("gradient_norm", result.gradient_norm)};
    observers_.tell("batch", std::span(fields).first(settings_.train.gradient_clipping > 0 ? 9 : 8));
    if (in_epoch + 1 == steps_per_epoch()) break;
    if (InterruptGuard::signal() != 0) return false;
    if (seconds_between(last_save_, now) >= settings_.train.checkpoint_seconds) save();
  }
  finish_epoch(learning_rate);
  return InterruptGuard::signal() == 0;
}

void Trainer::finish_epoch(double learning_rate) {
  std::vector<nnrun_field> fields{field("epoch", state_.epoch + 1),
                                  field("epochs", settings_.train.epochs),
                                  field("train_loss", state_.loss_sum / static_cast<double>(state_.samples)),
                                  field("learning_rate", learning_rate),
                                  field("seconds", state_.epoch_seconds),
                                  field("samples_per_s", static_cast<double>(state_.samples) / state_.epoch_seconds)};
  Evaluation validation;
  std::vector<std::string> names;
  if (data_.validation().count() > 0) {
    validation = evaluator_.run(data_.validation());
    for (const nnrun_field& f : evaluation_fields(validation)) names.push_back(std::string("validation_") + f.name);
    std::size_t i = 0;
    for (const nnrun_field& f : evaluation_fields(validation)) fields.push_back(field(names[i++].c_str(), f.number));
  }
  ++state_.epoch;
  state_.loss_sum = 0;
  state_.samples = 0;
  state_.epoch_seconds = 0;
  observers_.tell("epoch", fields);
  if (data_.validation().count() > 0) {
    keep_best(validation);
    if (settings_.train.early_stopping.patience > 0) stop_early(validation);
  }
  save();
}

void Trainer::keep_best(const Evaluation& validation) {
  // The first metric decides, for it is what the user asked to see; without any, the loss.
  const double score = validation.metrics.empty() ? -validation.loss : validation.metrics.front().second;
  if (state_.has_best && score <= state_.best_score) return;
  state_.has_best = true;
  state_.best_score = score;
  state_.best_epoch = state_.epoch;
  write_checkpoint(folder_.best(), *tested(), description_, state_, false);
}

void Trainer::stop_early(const Evaluation& validation) {
  const EarlyStopping& stopping = settings_.train.early_stopping;
  const std::string name = !stopping.metric.empty()     ? stopping.metric
                           : validation.metrics.empty() ? "loss"
                                                        : validation.metrics.front().first;
  double score = -validation.loss;
  for (const auto& [metric, value] : validation.metrics) {
    if (metric == name) score = value;
  }
  if (state_.epoch == 1 || score > state_.stopping_score + stopping.minimum_improvement) {
    state_.stopping_score = score;
    state_.epochs_without_improvement = 0;
    return;
  }
  if (++state_.epochs_without_improvement < stopping.patience) return;
  state_.stopped_early = true;
  char best[32];
  std::snprintf(best, sizeof best, "%.6g", std::abs(state_.stopping_score));
  const std::string text = "stopped early, behind epoch " + std::to_string(state_.epoch) + " of " + std::to_string(settings_.train.epochs) +
                           ": validation " + name + " has not improved on " + best + " for " + std::to_string(stopping.patience) +
                           (stopping.patience == 1 ? " epoch" : " epochs");
  observers_.tell("note", {field("text", text.c_str())});
}

void Trainer::save() {
  // A finished run's rows end before its test: resumed, it tests again and writes them again.
  if (!state_.finished) state_.observer_positions = observers_.positions();
  write_checkpoint(folder_.last(), *step_.parameters(), description_, state_, true, average_ ? tested().get() : nullptr);
  last_save_ = Clock::now();
  observers_.tell("checkpoint", {field("step", state_.step), field("file", folder_.last().c_str())});
}

TrainingResult Trainer::interrupted() {
  save();
  TrainingResult result;
  result.signal = InterruptGuard::signal();
  result.folder = folder_.path();
  result.weights_sha256 = tested()->sha256();
  observers_.tell("end", {field("seconds", seconds_between(started_, Clock::now())), field("status", "interrupted")});
  return result;
}

TrainingResult Trainer::test() {
  TrainingResult result;
  result.folder = folder_.path();
  result.best_weights = settings_.train.keep_best;
  state_.observer_positions = observers_.positions();
  const std::vector<float> last = result.best_weights ? tested()->copy() : std::vector<float>{};
  if (result.best_weights) Checkpoint(folder_.best()).restore(*tested(), false);
  Predictions predictions;
  result.test = evaluator_.run(data_.test(), &predictions);
  const RunDetails details(environment_, data_, step_.network(), *tested(), timer_.times(), timer_.steps(), std::move(predictions));
  result.weights_sha256 = tested()->sha256();
  if (result.best_weights) tested()->restore(last);

  std::vector<nnrun_field> fields = evaluation_fields(result.test);
  for (const Evaluation::Table& table : result.test.tables) {
    fields.push_back({table.name.c_str(), nullptr, 0, table.numbers.data(), table.rows, table.columns});
  }
  fields.push_back(field("samples", result.test.samples));
  fields.push_back(field("data", data_.drawn() ? "drawn" : "real"));
  fields.push_back(field("weights", average_              ? result.best_weights ? "best averaged" : "last averaged"
                                    : result.best_weights ? "best"
                                                          : "last"));
  fields.push_back(field("weights_sha256", result.weights_sha256.c_str()));
  observers_.tell("test", fields);
  details.tell(observers_);
  observers_.tell("end", {field("seconds", seconds_between(started_, Clock::now())), field("status", "finished")});
  state_.finished = true;
  save();
  return result;
}

}  // namespace nnrun::core
