#include "deployment/quantization.hpp"

#include "base/files.hpp"
#include "config/yaml.hpp"
#include "inspection/net_view.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

namespace nnrun::core {

namespace {

constexpr std::int64_t calibration_samples = 512;

// What a quantizer says.
struct Collected {
  struct Tensor {
    std::string name;
    nnrun_tensor shape;  // without data
    std::vector<std::byte> bytes;
  };
  struct Layer {
    ComponentSpec spec;
    std::vector<Tensor> tensors;
  };
  const Environment* environment;
  std::vector<Layer> layers;
  std::vector<std::string> notes;
  std::optional<double> error_bound;

  void add(const char* component, const char* params, const nnrun_named_tensor* tensors, std::size_t count) {
    const std::string text = std::string("{") + component + ": " + params + "}";
    const Node node = parse_document(make_source("a quantizer's layer", text), 0);
    std::vector<Diagnostic> errors;
    CheckContext context{environment->registry(), errors};
    auto spec = check_component(node, "layer", "model.layers[" + std::to_string(layers.size()) + "]", context);
    if (!errors.empty()) throw DiagnosticError(std::move(errors));
    Layer layer{std::move(*spec), {}};
    for (std::size_t i = 0; i < count; ++i) {
      Tensor tensor{tensors[i].name, tensors[i].tensor, std::vector<std::byte>(tensor_bytes(tensors[i].tensor))};
      std::memcpy(tensor.bytes.data(), tensors[i].tensor.data, tensor.bytes.size());
      tensor.shape.data = nullptr;
      layer.tensors.push_back(std::move(tensor));
    }
    layers.push_back(std::move(layer));
  }
};

Collected& collected(void* context) { return *static_cast<Collected*>(context); }

Collected ask(const ComponentSpec& scheme, const Environment& environment, const NetView& net) {
  Collected result;
  result.environment = &environment;
  nnrun_quantized to{};
  to.size = sizeof to;
  to.context = &result;
  to.layer = [](void* context, const char* component, const char* params, const nnrun_named_tensor* tensors, std::size_t count,
                nnrun_error* error) { return detail::guard(error, [&] { collected(context).add(component, params, tensors, count); }); };
  to.note = [](void* context, const char* text) { collected(context).notes.emplace_back(text); };
  to.error_bound = [](void* context, double bound) { collected(context).error_bound = bound; };
  const Instance instance(scheme, environment.host().c());
  nnrun_error error{};
  if (instance.vtable<nnrun_quantizer_vtable>().quantize(instance.self(), &net.c(), &to, &error) != 0) instance.fail_in_config(error);
  return result;
}

// The float net's config with the new layers in it.
std::string config_of(const Settings& settings, const Collected& net) {
  Settings changed = settings;
  ComponentSpec& root = changed.root;
  root.values[param_index(*root.component, "quantize")] = {};
  ComponentSpec& model = root.values[param_index(*root.component, "model")].components.at(0);
  ComponentSpec& start = model.values[param_index(*model.component, "start_from")].components.at(0);
  start.values[param_index(*start.component, "checkpoint")].string.clear();
  start.values[param_index(*start.component, "layers")].strings.clear();
  ParamValue& layers = model.values[param_index(*model.component, "layers")];
  layers.components.clear();
  for (const Collected::Layer& layer : net.layers) layers.components.push_back(layer.spec);
  return write_resolved(changed);
}

// What the layers declared becomes what the quantizer made.
void fill(Network& network, const Collected& net) {
  const Parameters& parameters = *network.parameters();
  const auto& slots = parameters.state_slots();
  std::size_t filled = 0;
  for (const PlannedLayer& planned : network.plan().layers) {
    for (const Collected::Tensor& tensor : net.layers.at(planned.index).tensors) {
      const std::string name = planned.name + "." + tensor.name;
      const auto slot = std::ranges::find(slots, name, &Slot::name);
      if (slot == slots.end() || slot->dtype != tensor.shape.dtype || slot->shape != Tensor(tensor.shape).shape()) {
        throw RunError("the quantizer made '" + name + "' with another type or shape than its layer declares");
      }
      std::memcpy(parameters.state(static_cast<std::size_t>(slot - slots.begin())), tensor.bytes.data(), tensor.bytes.size());
      ++filled;
    }
  }
  if (filled != slots.size() || parameters.weight_count() != 0) throw RunError("the quantizer left out numbers that its layers declare");
}

std::int64_t largest(const float* row, std::int64_t columns) { return std::max_element(row, row + columns) - row; }

// Both nets on each test sample.
std::vector<ChangedPrediction> compare(Network& before, Network& after, Data& data) {
  std::vector<ChangedPrediction> changed;
  const std::int64_t whole = std::min(before.max_batch(), after.max_batch()), count = data.test().count(), columns = data.classes();
  if (Tensor(before.output()).columns() != columns || columns == 0) return changed;
  const Buffer labels(label_bytes(data, whole));
  for (std::int64_t begin = 0; begin < count; begin += whole) {
    const std::int64_t batch = std::min(whole, count - begin);
    std::vector<std::uint32_t> positions(static_cast<std::size_t>(batch));
    for (std::int64_t i = 0; i < batch; ++i) positions[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(begin + i);
    for (Network* network : {&before, &after}) {
      network->set_batch(batch);
      data.load(data.test(), positions, 0, false, network->input(), labels.data());
      network->forward(0);
    }
    for (std::int64_t i = 0; i < batch; ++i) {
      const float* row = Tensor(before.output()).data() + i * columns;
      const std::int64_t was = largest(row, columns), is = largest(Tensor(after.output()).data() + i * columns, columns);
      if (was == is) continue;
      changed.push_back({begin + i, labels.as<std::int32_t>()[i], was, is, static_cast<double>(row[was]) - static_cast<double>(row[is])});
    }
  }
  return changed;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

std::string short_number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

nlohmann::ordered_json to_json(const Quantization& q) {
  nlohmann::ordered_json json{{"scheme", q.scheme}, {"checkpoint", q.checkpoint.filename().string()}};
  for (const auto* evaluation : {&q.before, &q.after}) {
    nlohmann::ordered_json figures{{"samples", evaluation->samples}, {"loss", evaluation->loss}};
    for (const auto& [name, value] : evaluation->metrics) figures[name] = value;
    json[evaluation == &q.before ? "float" : "quantized"] = figures;
  }
  json["notes"] = q.notes;
  if (q.margin_bound) json["margin_bound"] = *q.margin_bound;
  json["changed"] = nlohmann::ordered_json::array();
  for (const ChangedPrediction& c : q.changed) {
    json["changed"].push_back(
        {{"sample", c.sample}, {"label", c.label}, {"float", c.before}, {"quantized", c.after}, {"margin", c.margin}});
  }
  return json;
}

}  // namespace

Quantization quantize(const Predictor& model, Data& data, const EnvironmentOptions& options, const ComponentSpec& scheme,
                      const std::filesystem::path& checkpoint) {
  const Environment& environment = model.environment();
  const NetView view(environment, data, data.train(), calibration_samples, model.parameters());
  const Collected net = ask(scheme, environment, view);

  Quantization result;
  result.scheme = scheme.component->name;
  result.checkpoint = checkpoint;
  result.notes = net.notes;
  if (net.error_bound) result.margin_bound = 2 * *net.error_bound;
  ModelDescription description = model.description();
  description.config = config_of(environment.settings(), net);
  const Environment quantized(config_from_text(checkpoint.string() + " (its config)", description.config), options);
  Network network(quantized.settings().model, quantized.host(), batch_of(data.sample(), 1), false, 0);
  fill(network, net);
  description.kernels.assign(quantized.host().kernels().begin(), quantized.host().kernels().end());
  write_checkpoint(checkpoint, *network.parameters(), description, model.checkpoint().state(), false);

  Evaluator before(environment, data, model.parameters()), after(quantized, data, network.parameters());
  result.before = before.run(data.test());
  result.after = after.run(data.test());
  result.changed = compare(before.network(), after.network(), data);
  return result;
}

void quantize_all(const std::filesystem::path& file, const EnvironmentOptions& options, const std::string& data_root,
                  const std::vector<std::string>& words, const QuantizationDone& done) {
  const Predictor model(file, options);
  const Environment& environment = model.environment();
  std::vector<ComponentSpec> schemes = environment.settings().quantize;
  if (!words.empty()) {
    schemes.clear();
    std::vector<Diagnostic> errors;
    CheckContext context{environment.registry(), errors};
    for (const std::string& word : words) {
      auto spec = check_component(parse_document(make_source("command line", word), 0), "quantizer", "quantize", context);
      if (spec) schemes.push_back(std::move(*spec));
    }
    if (!errors.empty()) throw DiagnosticError(std::move(errors));
  }
  if (schemes.empty())
    throw RunError(file.string() + " names no scheme under `quantize`: write one behind it, eg: nnrun quantize " + file.string() + " int8");
  Data data(environment.settings(), environment.host(), find_data_root(data_root));
  std::vector<Diagnostic> refusals;
  std::map<std::string, int> times;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ComponentSpec& scheme : schemes) {
    const std::string name = scheme.component->name;
    const int time = ++times[name];
    try {
      const Quantization made = quantize(model, data, options, scheme,
                                         file.parent_path() / (name + (time == 1 ? "" : "-" + std::to_string(time)) + ".safetensors"));
      json.push_back(to_json(made));
      done(made);
    } catch (const DiagnosticError& e) {
      json.push_back({{"scheme", name}, {"refused", e.what()}});
      refusals.insert(refusals.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  write_atomically(file.parent_path() / "quantization.json", json.dump(2) + "\n");
  if (!refusals.empty()) throw DiagnosticError(std::move(refusals));
}

std::string describe(const Quantization& q) {
  std::string text = q.scheme + ": ";
  for (std::size_t i = 0; i < q.after.metrics.size(); ++i) {
    text += (i == 0 ? "" : ", ") + q.after.metrics[i].first + " " + percent(q.after.metrics[i].second) + " (float " +
            percent(q.before.metrics[i].second) + ")";
  }
  text += ", loss " + short_number(q.after.loss) + " (float " + short_number(q.before.loss) + ") on " + std::to_string(q.after.samples) +
          " test samples\n";
  for (const std::string& note : q.notes) text += "  " + note + "\n";
  if (q.margin_bound)
    text += "  proved: classes can only change where the float net's outputs are closer than " + short_number(*q.margin_bound) + "\n";
  text += "  " + std::to_string(q.changed.size()) + (q.changed.size() == 1 ? " prediction" : " predictions") + " changed";
  constexpr std::size_t most_shown = 20;
  for (std::size_t i = 0; i < std::min(most_shown, q.changed.size()); ++i) {
    const ChangedPrediction& c = q.changed[i];
    text += "\n    sample " + std::to_string(c.sample) + ", label " + std::to_string(c.label) + ": " + std::to_string(c.before) +
            " became " + std::to_string(c.after) + ", float margin " + short_number(c.margin);
  }
  if (q.changed.size() > most_shown) text += "\n    and " + std::to_string(q.changed.size() - most_shown) + " more, in quantization.json";
  return text + "\n  written: " + q.checkpoint.string() + "\n";
}

}  // namespace nnrun::core
