#include "config/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "config/layer_groups.hpp"
#include "config/merge.hpp"
#include "config/sections.hpp"

namespace nnrun::core {

namespace {

constexpr std::size_t most_errors = 100;

// Reads one section's values by name. The names are those of the tables in sections.cpp.
class Section {
 public:
  explicit Section(const ComponentSpec& spec) : spec_(spec) {}

  Section section(std::string_view key) const { return Section(value(key).components.at(0)); }
  const ParamValue& value(std::string_view key) const { return *spec_.value(key); }
  const Location& where(std::string_view key) const { return spec_.location_of(key); }
  const Location& where() const { return spec_.where; }
  bool given(std::string_view key) const { return value(key).given; }

  const std::vector<ComponentSpec>& components(std::string_view key) const { return value(key).components; }
  std::optional<ComponentSpec> component(std::string_view key) const {
    const auto& found = value(key).components;
    return found.empty() ? std::nullopt : std::optional<ComponentSpec>(found[0]);
  }
  PathSetting path(std::string_view key) const { return {value(key).string, where(key)}; }

 private:
  const ComponentSpec& spec_;
};

ValidationSettings read_validation(const Section& data) {
  ValidationSettings validation;
  validation.where = data.where("validation");
  validation.path = data.value("validation").string;
  if (!validation.path.empty()) validation.from = ValidationSettings::From::path;
  if (data.components("validation").empty()) return validation;
  const Section part = data.section("validation");
  if (part.value("from").string == "train") {
    validation.from = ValidationSettings::From::train;
    validation.share = part.value("share").number;
    validation.where = part.where("share");
  } else if (part.value("from").string == "test") {
    validation.from = ValidationSettings::From::test;
    const std::vector<std::int64_t>& range = part.value("range").integers;
    if (range.size() == 2) {
      validation.begin = range[0];
      validation.end = range[1];
    }
    validation.where = part.where("range");
  }
  return validation;
}

DataSettings read_data(const Section& data) {
  DataSettings settings;
  settings.source = data.component("source");
  settings.train = data.path("train");
  settings.test = data.path("test");
  settings.validation = read_validation(data);
  settings.transforms = data.components("transforms");
  settings.otherwise = data.component("otherwise");
  settings.where = data.where();
  return settings;
}

ModelSettings read_model(const Section& model, FlatLayers layers) {
  ModelSettings settings;
  settings.layers = std::move(layers.layers);
  settings.inputs = std::move(layers.inputs);
  settings.input = model.value("input").integers;
  const Section start = model.section("start_from");
  settings.start_from = {start.value("checkpoint").string, start.value("layers").strings, start.value("layers").item_locations,
                         start.where("checkpoint")};
  settings.layers_where = model.where("layers");
  settings.input_where = model.where("input");
  return settings;
}

TrainSettings read_train(const Section& train) {
  TrainSettings settings;
  settings.epochs = train.value("epochs").integer;
  settings.batch = train.value("batch").integer;
  settings.loss = train.component("loss");
  settings.optimizer = train.component("optimizer");
  settings.metrics = train.components("metrics");
  settings.keep_best = train.value("keep").string == "best";
  settings.checkpoint_seconds = train.section("checkpoint").value("seconds").number;
  settings.shuffle = train.value("shuffle").integer != 0;
  settings.gradient_clipping = train.value("gradient_clipping").number;
  settings.accumulate = train.value("accumulate").integer;
  settings.average = train.value("average").number;
  const Section stopping = train.section("early_stopping");
  settings.early_stopping = {stopping.value("patience").integer, stopping.value("metric").string,
                             stopping.value("minimum_improvement").number};
  settings.where = train.where();
  settings.batch_where = train.where("batch");
  settings.keep_where = train.where("keep");
  return settings;
}

RunSettings read_run(const Section& run) {
  RunSettings settings;
  settings.threads = static_cast<int>(run.value("threads").integer);
  settings.kernels.default_table = run.value("kernels").string;
  settings.kernels.tables = run.value("kernels").named;
  settings.kernels.tuned_on = run.value("tuned_on").string;
  settings.kernels.exact = run.value("exact").integer != 0;
  settings.kernels.bf16 = run.value("precision").string == std::string("bf16");
  settings.kernels.precision_where = run.where("precision");
  if (settings.kernels.exact && settings.kernels.bf16) {
    throw DiagnosticError(settings.kernels.precision_where, "precision: bf16 rounds what run.exact: true leaves out: take one of the two");
  }
  settings.kernels.where = run.where("kernels");
  settings.observers = run.components("observers");
  settings.folder = run.path("folder");
  settings.threads_where = run.where("threads");
  return settings;
}

// What one table alone cannot say: keys that need or exclude each other.
class CrossChecks {
 public:
  CrossChecks(const Node& tree, const ComponentSpec& root, std::vector<Diagnostic>& errors) : tree_(tree), root_(root), errors_(errors) {}

  void run() {
    validation();
    data_or_input();
    keep();
    early_stopping();
    start_from();
  }

 private:
  void report(const Location& where, std::string message, std::string suggestion = {}) {
    errors_.push_back(make_error(where, std::move(message), std::move(suggestion)));
  }

  // A section of the wrong type has been reported; what is missing in it is not known.
  bool is_readable(const char* section) const {
    const Node::Entry* entry = tree_.find(section);
    return entry == nullptr || entry->value.is_map() || entry->value.is_null();
  }

  void validation() {
    const Section data = root_.section("data");
    if (data.components("validation").empty()) return;
    const Section part = data.section("validation");
    const std::string& from = part.value("from").string;
    if (from == "train") {
      if (!part.given("share")) report(part.where("from"), "validation from train needs its share", "write {from: train, share: 0.1}");
      if (part.given("range")) report(part.where("range"), "'range' goes with 'from: test'; a part of train is given by its 'share'");
    }
    if (from == "test") {
      if (!part.given("range"))
        report(part.where("from"), "validation from test needs a range of samples", "write {from: test, range: [9000, 10000]}");
      if (part.given("share")) report(part.where("share"), "'share' goes with 'from: train'; a part of test is given by its 'range'");
      const std::vector<std::int64_t>& range = part.value("range").integers;
      if (range.size() == 2 && range[0] >= range[1]) {
        report(part.where("range"),
               "the range [" + std::to_string(range[0]) + ", " + std::to_string(range[1]) + "] is empty: it is [first, behind the last]");
      }
    }
  }

  void data_or_input() {
    const Section data = root_.section("data"), model = root_.section("model"), train = root_.section("train");
    const bool has_input = model.given("input");
    if (data.given("source")) {
      if (has_input) report(model.where("input"), "'model.input' is only for nets without data: the shape comes from data.source");
    } else if (!has_input && is_readable("data")) {
      report(data.where(), "the config needs 'data.source', which is a dataset; or 'model.input', for a net without data");
    }
    if (has_input || !is_readable("train")) return;
    for (const char* key : {"loss", "optimizer"}) {
      if (!train.given(key))
        report(train.where(), std::string("the config needs 'train.") + key + "', which is " + (key[0] == 'o' ? "an " : "a ") + key);
    }
  }

  void keep() {
    const Section data = root_.section("data"), train = root_.section("train");
    const bool has_validation = !data.value("validation").string.empty() || !data.components("validation").empty();
    if (train.value("keep").string == "best" && !has_validation && is_readable("data")) {
      report(train.where("keep"), "'keep: best' chooses on validation, and data.validation is not set", "write keep: last");
    }
  }

  void early_stopping() {
    const Section data = root_.section("data"), train = root_.section("train");
    if (train.components("early_stopping").empty()) return;  // train is no map
    const Section stopping = train.section("early_stopping");
    const bool has_patience = stopping.given("patience");
    if (!has_patience && (stopping.given("metric") || stopping.value("minimum_improvement").number != 0)) {
      report(train.where("early_stopping"), "train.early_stopping needs its patience: how many epochs without improvement to wait",
             "write early_stopping: {patience: 5}");
    }
    const bool has_validation = !data.value("validation").string.empty() || !data.components("validation").empty();
    if (has_patience && !has_validation && is_readable("data")) {
      report(train.where("early_stopping"), "early stopping watches the validation, and data.validation is not set");
    }
    const std::string& metric = stopping.value("metric").string;
    std::vector<std::string> names{"loss"};
    for (const ComponentSpec& spec : train.components("metrics")) names.emplace_back(spec.component->name);
    if (!metric.empty() && std::find(names.begin(), names.end(), metric) == names.end()) {
      const std::string meant = did_you_mean(metric, names);
      report(stopping.where("metric"), "train.early_stopping.metric is " + quote(metric) + ", which is neither loss nor in train.metrics",
             meant.empty() ? "add it to train.metrics" : meant);
    }
  }

  void start_from() {
    const Section model = root_.section("model");
    if (model.components("start_from").empty()) return;  // model is no map
    const Section start = model.section("start_from");
    if (start.given("layers") && start.value("checkpoint").string.empty()) {
      report(start.where("layers"), "model.start_from needs the checkpoint that these layers are taken from",
             "write start_from: {checkpoint: runs/NAME/1/best.safetensors, layers: [...]}");
    }
  }

  const Node& tree_;
  Section root_;
  std::vector<Diagnostic>& errors_;
};

// In the root too, so that a resolved config means the same in another folder.
std::vector<PluginPath> make_absolute(ComponentSpec& root) {
  std::vector<PluginPath> plugins;
  ParamValue& list = root.values[param_index(*root.component, "plugins")];
  for (std::size_t i = 0; i < list.strings.size() && i < list.item_locations.size(); ++i) {
    plugins.push_back(resolve_plugin_path(list.strings[i], list.item_locations[i]));
    list.strings[i] = plugins.back().path;
  }
  return plugins;
}

void make_start_absolute(ComponentSpec& root) {
  ComponentSpec& model = root.values[param_index(*root.component, "model")].components.at(0);
  ComponentSpec& start = model.values[param_index(*model.component, "start_from")].components.at(0);
  std::string& path = start.values[param_index(*start.component, "checkpoint")].string;
  if (!path.empty()) path = std::filesystem::absolute(path).lexically_normal().string();
}

[[noreturn]] void throw_all(std::vector<Diagnostic> errors) {
  sort_by_location(errors);
  if (errors.size() > most_errors) {
    const std::size_t more = errors.size() - most_errors;
    errors.resize(most_errors);
    errors.push_back(make_note({}, "and " + std::to_string(more) + " more errors"));
  }
  throw DiagnosticError(std::move(errors));
}

Settings check_tree(const Node& tree, const WithLayerGroups& lookup, std::vector<Diagnostic> errors) {
  Location whole_file;
  whole_file.file = tree.where.file;
  CheckContext context = {lookup, errors};
  Settings settings;
  settings.root = check_params(root_section(), tree, whole_file, "", context);
  FlatLayers layers;
  if (tree.is_map()) {
    CrossChecks(tree, settings.root, errors).run();
    layers = flatten_layers(Section(settings.root).section("model").components("layers"), lookup, errors);
  }
  if (!errors.empty()) throw_all(std::move(errors));
  settings.plugins = make_absolute(settings.root);
  make_start_absolute(settings.root);
  const Section root(settings.root);
  settings.name = tree.where.file_name();
  settings.seed = static_cast<std::uint64_t>(root.value("seed").integer);
  settings.data = read_data(root.section("data"));
  settings.model = read_model(root.section("model"), std::move(layers));
  settings.train = read_train(root.section("train"));
  settings.run = read_run(root.section("run"));
  settings.quantize = root.components("quantize");
  return settings;
}

}  // namespace

Settings check(const Config& config, const ComponentLookup& components) {
  const WithLayerGroups lookup(components);
  std::vector<Diagnostic> errors;
  const Node tree = merge(config, lookup, errors);
  Settings settings = check_tree(tree, lookup, std::move(errors));
  settings.name = config.name;
  return settings;
}

Settings check(const Node& tree, const ComponentLookup& lookup) { return check_tree(tree, WithLayerGroups(lookup), {}); }

}  // namespace nnrun::core
