#include "commands.hpp"
#include "net/checkpoint.hpp"
#include "net/network.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

namespace nnrun::tool {

namespace {

std::string join(const std::vector<std::string>& words, const char* separator = ", ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::string flops_text(double flops) {
  const char* units[] = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  for (; flops >= 1000 && unit < 4; ++unit) flops /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, flops < 10 && unit > 0 ? "%.2f %s" : "%.0f %s", flops, units[unit]);
  std::string result = text;
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

std::int64_t count_of(const core::Slot& slot) {
  return std::accumulate(slot.shape.begin(), slot.shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t parameter_count(const core::PlannedLayer& layer) {
  std::int64_t count = layer.affine != nullptr ? parameter_count(*layer.affine) : 0;
  for (const core::DeclaredWeight& weight : layer.weights) count += count_of(weight.slot);
  // What a net of integers has instead of weights.
  for (const core::DeclaredState& state : layer.states) count += state.slot.dtype == NNRUN_F32 ? 0 : count_of(state.slot);
  return count;
}

// The layers whose outputs it takes.
std::vector<std::string> input_names(const core::ModelPlan& model, const core::PlannedLayer& layer) {
  std::vector<std::string> names;
  for (const std::size_t tensor : layer.inputs) {
    const auto producer = std::ranges::find(model.layers, tensor, &core::PlannedLayer::output);
    names.push_back(producer == model.layers.end() ? "input" : producer->name);
  }
  return names;
}

// "7.add of 5.conv2d, 2.relu": what it takes is said where that is not the layer before alone.
std::string layer_text(const core::ModelPlan& model, std::size_t index) {
  const core::PlannedLayer& layer = model.layers[index];
  std::string text = layer.name;
  for (const core::ComponentSpec* absorbed : layer.absorbed) text += std::string(" + ") + absorbed->component->name;
  const std::size_t before = index == 0 ? 0 : model.layers[index - 1].output;
  return layer.inputs == std::vector{before} ? text : text + " of " + join(input_names(model, layer));
}

// Each kernel that a layer asked for: what it got, why, and what else could run.
std::vector<std::vector<std::string>> reasons(const core::ModelPlan& model, const core::Dispatch& dispatch) {
  std::vector<std::vector<std::string>> rows{{"request", "kernel", "why", "others"}};
  for (const core::PlannedLayer& layer : model.layers) {
    for (const core::PlannedKernel& planned : layer.choices) {
      std::vector<std::string> others;
      for (const nnrun_kernel* other : planned.choice.others) others.push_back(dispatch.way(other));
      rows.push_back({planned.request, dispatch.way(planned.choice.kernel), planned.choice.why, join(others, "; ")});
    }
  }
  return rows;
}

// What is planned: a config, or the net of a checkpoint, which nothing trains.
struct Subject {
  std::unique_ptr<core::Checkpoint> checkpoint;
  std::unique_ptr<core::Environment> environment;
  bool training;
};

Subject subject_of(const Options& options) {
  Subject s{nullptr, nullptr, !options.inference};
  if (options.subject.ends_with(".safetensors")) {
    s.checkpoint = std::make_unique<core::Checkpoint>(options.subject);
    s.environment = std::make_unique<core::Environment>(
        core::config_from_text(options.subject + " (its config)", s.checkpoint->description().config, options.words),
        environment_options(options));
    s.training = false;
  } else {
    s.environment = std::make_unique<core::Environment>(core::load_config(options.subject, options.words), environment_options(options));
  }
  return s;
}

// The shape of a sample: the checkpoint's, or from the data, or model.input where there is none.
nnrun_tensor input_of(const Subject& subject, const Options& options) {
  const core::Environment& environment = *subject.environment;
  const core::Settings& settings = environment.settings();
  if (subject.checkpoint) {
    return core::Transforms(settings.data, subject.checkpoint->description().sample, settings.seed, environment.host()).output();
  }
  if (!settings.model.input.empty()) return make_tensor(NNRUN_F32, settings.model.input);
  return core::Data(settings, environment.host(), core::find_data_root(options.data)).sample();
}

}  // namespace

int plan(const Options& options) {
  const Subject subject = subject_of(options);
  const core::Environment& environment = *subject.environment;
  const core::Settings& settings = environment.settings();
  const bool inference = !subject.training;
  const nnrun_tensor sample = input_of(subject, options);
  core::Network network(settings.model, environment.host(), core::batch_of(sample, settings.train.batch), subject.training, settings.seed,
                        nullptr, {.fold = inference});
  const core::ModelPlan& model = network.plan();
  std::int64_t parameters = 0;
  for (const core::PlannedLayer& layer : model.layers) parameters += parameter_count(layer);

  if (options.json) {
    nlohmann::ordered_json layers = nlohmann::ordered_json::array();
    for (const core::PlannedLayer& layer : model.layers) {
      std::vector<std::string> absorbed;
      for (const core::ComponentSpec* spec : layer.absorbed) absorbed.emplace_back(spec->component->name);
      const core::ComponentSpec& spec = layer.instance->spec();
      layers.push_back({{"name", layer.name},
                        {"config", spec.path},
                        {"repetition", spec.repetition},
                        {"absorbed", absorbed},
                        {"inputs", input_names(model, layer)},
                        {"output", Tensor(model.tensors[layer.output]).shape()},
                        {"parameters", parameter_count(layer)},
                        {"bytes", core::tensor_bytes(model.tensors[layer.output])},
                        {"forward_flops", layer.forward_flops},
                        {"backward_flops", layer.runs_backward ? layer.backward_flops : 0.0},
                        {"kernels", layer.kernels}});
      for (const core::PlannedKernel& planned : layer.choices) {
        layers.back()["choices"].push_back(
            {{"request", planned.request}, {"kernel", environment.dispatch().way(planned.choice.kernel)}, {"why", planned.choice.why}});
      }
    }
    const nlohmann::ordered_json json{{"config", options.subject},
                                      {"batch", settings.train.batch},
                                      {"input", Tensor(sample).shape()},
                                      {"parameters", parameters},
                                      {inference ? "inference_bytes" : "training_bytes", network.memory_bytes()},
                                      {"layers", layers}};
    std::cout << json.dump(2) << "\n";
    return 0;
  }

  const bool repeats = std::ranges::any_of(settings.model.layers, [](const core::ComponentSpec& spec) { return !spec.repetition.empty(); });
  const auto row = [&](const std::string& name, const std::string& repetition, std::vector<std::string> cells) {
    if (repeats) cells.insert(cells.begin(), repetition);
    cells.insert(cells.begin(), name);
    return cells;
  };
  std::vector<std::vector<std::string>> rows{
      row("layer", "repetition", {"output", "kernels", "parameters", "output bytes", "forward FLOP", "backward FLOP"})};
  double forward = 0, backward = 0;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const core::PlannedLayer& layer = model.layers[i];
    const double layer_backward = layer.runs_backward ? layer.backward_flops : 0;
    forward += layer.forward_flops;
    backward += layer_backward;
    rows.push_back(
        row(layer_text(model, i), layer.instance->spec().repetition,
            {to_string(Tensor(model.tensors[layer.output]).shape()), layer.kernels.empty() ? "" : layer.kernels[0],
             with_commas(parameter_count(layer)), with_commas(static_cast<std::int64_t>(core::tensor_bytes(model.tensors[layer.output]))),
             flops_text(layer.forward_flops), flops_text(layer_backward)}));
    // Each further kernel in a line of its own: side by side they would not fit on any screen.
    for (std::size_t k = 1; k < layer.kernels.size(); ++k) rows.push_back(row("", "", {"", layer.kernels[k], "", "", "", ""}));
  }
  std::cout << options.subject << ": input " << to_string(Tensor(model.tensors[0]).shape()) << ", the batch first\n\n"
            << table(rows, repeats ? 4 : 3) << "\n"
            << with_commas(parameters) << " parameters; " << (inference ? "inference" : "a training step") << " of " << settings.train.batch
            << " samples: " << flops_text(forward) << "FLOP forward, " << (inference ? "" : flops_text(backward) + "FLOP backward, ")
            << with_commas(static_cast<std::int64_t>(network.memory_bytes()))
            << (inference ? " bytes of activations, folded weights and scratch\n" : " bytes of activations, gradients and scratch\n");
  if (options.why) std::cout << "\n" << table(reasons(model, environment.dispatch()), 4);
  return 0;
}

}  // namespace nnrun::tool
