#include "net/checkpoint.hpp"

#include "base/error.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace nnrun::core {

namespace {

using Json = nlohmann::json;

// JSON prints doubles so that they read back as the same bits.
Json to_json(const TrainingState& s) {
  return {{"step", s.step},
          {"epoch", s.epoch},
          {"loss_sum", s.loss_sum},
          {"samples", s.samples},
          {"seconds", s.seconds},
          {"epoch_seconds", s.epoch_seconds},
          {"has_best", s.has_best},
          {"best_score", s.best_score},
          {"best_epoch", s.best_epoch},
          {"stopping_score", s.stopping_score},
          {"epochs_without_improvement", s.epochs_without_improvement},
          {"stopped_early", s.stopped_early},
          {"finished", s.finished},
          {"observer_positions", s.observer_positions}};
}

TrainingState training_state(const Json& json) {
  TrainingState s;
  json.at("step").get_to(s.step);
  json.at("epoch").get_to(s.epoch);
  json.at("loss_sum").get_to(s.loss_sum);
  json.at("samples").get_to(s.samples);
  json.at("seconds").get_to(s.seconds);
  json.at("epoch_seconds").get_to(s.epoch_seconds);
  json.at("has_best").get_to(s.has_best);
  json.at("best_score").get_to(s.best_score);
  json.at("best_epoch").get_to(s.best_epoch);
  json.at("stopping_score").get_to(s.stopping_score);
  json.at("epochs_without_improvement").get_to(s.epochs_without_improvement);
  json.at("stopped_early").get_to(s.stopped_early);
  json.at("finished").get_to(s.finished);
  json.at("observer_positions").get_to(s.observer_positions);
  if (s.step < 0 || s.epoch < 0 || s.samples < 0) throw RunError("negative counters");
  return s;
}

Json to_json(const ModelDescription& d) {
  return {{"dtype", d.sample.dtype},      {"shape", Shape(d.sample.dim, d.sample.dim + d.sample.rank)},
          {"classes", d.classes},         {"targets", d.targets},
          {"class_names", d.class_names}, {"data", d.drawn ? "drawn" : "real"},
          {"kernels", d.kernels}};
}

ModelDescription model_description(const Json& json, std::string config) {
  ModelDescription d;
  d.config = std::move(config);
  const auto dtype = json.at("dtype").get<std::uint32_t>();
  const auto shape = json.at("shape").get<Shape>();
  const bool good = dtype >= NNRUN_F32 && dtype <= NNRUN_S32 && !shape.empty() && shape.size() < NNRUN_MAX_RANK &&
                    std::all_of(shape.begin(), shape.end(), [](std::int64_t dim) { return dim >= 1 && dim <= 1'000'000; });
  if (!good) throw RunError("impossible shape of samples");
  d.sample = make_tensor(static_cast<nnrun_dtype>(dtype), shape);
  json.at("classes").get_to(d.classes);
  json.at("targets").get_to(d.targets);
  json.at("class_names").get_to(d.class_names);
  d.drawn = json.at("data").get<std::string>() == "drawn";
  json.at("kernels").get_to(d.kernels);
  return d;
}

std::string optimizer_tensor_name(const std::string& state, const std::string& weight) { return "optimizer." + state + "." + weight; }

void restore_tensor(const SafetensorsFile& file, const std::string& name, const Slot& slot, float* to) {
  const NamedTensor* tensor = file.find(name);
  if (tensor == nullptr) throw RunError(file.path().string() + " has no tensor '" + name + "'; it belongs to another net");
  if (tensor->dtype != slot.dtype)
    throw RunError(file.path().string() + ": tensor '" + name + "' has another type of numbers than the net's");
  if (tensor->shape != slot.shape) {
    throw RunError(file.path().string() + ": tensor '" + name + "' has the shape " + to_string(tensor->shape) + ", the net needs " +
                   to_string(slot.shape));
  }
  std::memcpy(to, tensor->data, tensor->bytes());
}

// fn(name, slot, data) for each weight and state. Their data may be written to: restoring goes the same way.
void for_each_tensor(const Parameters& parameters, const std::string& prefix, const auto& fn) {
  for (std::size_t i = 0; i < parameters.weight_slots().size(); ++i) {
    fn(prefix + parameters.weight_slots()[i].name, parameters.weight_slots()[i], parameters.weight(i));
  }
  for (std::size_t i = 0; i < parameters.state_slots().size(); ++i) {
    fn(prefix + parameters.state_slots()[i].name, parameters.state_slots()[i], parameters.state(i));
  }
}

void for_each_optimizer_tensor(const Parameters& parameters, const auto& fn) {
  const auto& names = parameters.optimizer_state_names();
  for (std::size_t k = 0; k < names.size(); ++k) {
    for (std::size_t i = 0; i < parameters.weight_slots().size(); ++i) {
      const Slot& slot = parameters.weight_slots()[i];
      fn(optimizer_tensor_name(names[k], slot.name), slot, parameters.optimizer_state(k, i));
    }
  }
}

constexpr const char* training_prefix = "training.";

}  // namespace

void write_checkpoint(const std::filesystem::path& file, const Parameters& parameters, const ModelDescription& description,
                      const TrainingState& state, bool with_optimizer, const Parameters* average) {
  std::vector<NamedTensor> tensors;
  const auto add = [&](std::string name, const Slot& slot, const float* data) {
    tensors.push_back({std::move(name), slot.shape, data, static_cast<std::size_t>(slot.count), slot.dtype});
  };
  const Parameters& tested = average != nullptr ? *average : parameters;
  for_each_tensor(tested, "", add);
  if (average != nullptr) for_each_tensor(parameters, training_prefix, add);
  if (with_optimizer) for_each_optimizer_tensor(parameters, add);
  write_safetensors(file, tensors,
                    {{"format", "nnrun"},
                     {"nnrun_version", NNRUN_VERSION},
                     {"config", description.config},
                     {"model", to_json(description).dump()},
                     {"training", to_json(state).dump()},
                     {"weights_sha256", tested.sha256()}});
}

Checkpoint::Checkpoint(const std::filesystem::path& file) : file_(file) {
  try {
    description_ = model_description(Json::parse(file_.metadata("model")), file_.metadata("config"));
    state_ = training_state(Json::parse(file_.metadata("training")));
  } catch (const Json::exception& e) {
    throw RunError(file.string() + " is not a usable checkpoint: " + e.what());
  } catch (const RunError& e) {
    throw RunError(file.string() + " is not a usable checkpoint: " + e.what());
  }
}

void Checkpoint::restore(Parameters& parameters, bool with_optimizer, const Parameters* average) const {
  const auto read = [&](const std::string& name, const Slot& slot, float* data) { restore_tensor(file_, name, slot, data); };
  if (average != nullptr) for_each_tensor(*average, "", read);
  for_each_tensor(parameters, average != nullptr ? training_prefix : "", read);
  if (with_optimizer) for_each_optimizer_tensor(parameters, read);
}

}  // namespace nnrun::core
