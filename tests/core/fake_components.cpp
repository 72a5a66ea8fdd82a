#include "fake_components.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <set>

namespace nnrun::test {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

struct Row {
  nnrun_param param;
  nnrun_value value;
};

constexpr Row row(std::uint32_t type, const char* name, const char* doc) {
  Row made = {};
  made.param.size = sizeof(nnrun_param);
  made.param.type = type;
  made.param.name = name;
  made.param.doc = doc;
  made.param.minimum = -unbounded;
  made.param.maximum = unbounded;
  made.param.count_max = std::numeric_limits<std::size_t>::max();
  return made;
}
constexpr Row integer(const char* name, const char* doc, std::int64_t value, double minimum, double maximum = 9223372036854775808.0) {
  Row made = row(NNRUN_INTEGER, name, doc);
  made.value.integer = value;
  made.param.minimum = minimum;
  made.param.maximum = maximum;
  return made;
}
constexpr Row number(const char* name, const char* doc, double value, double minimum, double maximum, std::uint32_t flags = 0) {
  Row made = row(NNRUN_NUMBER, name, doc);
  made.value.number = value;
  made.param.minimum = minimum;
  made.param.maximum = maximum;
  made.param.flags = flags;
  return made;
}
constexpr Row boolean(const char* name, const char* doc, bool value) {
  Row made = row(NNRUN_BOOLEAN, name, doc);
  made.param.minimum = 0;
  made.param.maximum = 1;
  made.value.integer = value ? 1 : 0;
  return made;
}
constexpr Row text(const char* name, const char* doc, const char* value) {
  Row made = row(NNRUN_STRING, name, doc);
  made.value.string = value;
  return made;
}
constexpr Row choice(const char* name, const char* doc, const char* value, const char* const* choices) {
  Row made = row(NNRUN_CHOICE, name, doc);
  made.value.string = value;
  made.param.choices = choices;
  return made;
}
constexpr Row component(const char* name, const char* doc, const char* kind, const char* value) {
  Row made = row(NNRUN_COMPONENT, name, doc);
  made.value.string = value;
  made.param.component_kind = kind;
  return made;
}
constexpr Row reference(const char* name, const char* doc) { return row(NNRUN_REFERENCE, name, doc); }
constexpr Row list(std::uint32_t type, const char* name, const char* doc, std::size_t count_min, std::size_t count_max, double minimum) {
  Row made = row(type, name, doc);
  made.param.count_min = count_min;
  made.param.count_max = count_max;
  made.param.minimum = minimum;
  return made;
}
constexpr Row with_integers(Row made, const std::int64_t* values, std::size_t count) {
  made.value.integers = values;
  made.value.count = count;
  return made;
}
constexpr Row required(Row made) {
  made.param.flags |= NNRUN_PARAM_REQUIRED;
  return made;
}

template <const auto& rows>
constexpr auto params_of() {
  std::array<nnrun_param, rows.size()> params = {};
  for (std::size_t i = 0; i < rows.size(); ++i) params[i] = rows[i].param;
  return params;
}
template <const auto& rows>
constexpr auto params = params_of<rows>();

template <const auto& rows>
constexpr nnrun_component make(const char* kind, const char* name, const char* doc) {
  nnrun_component made = {};
  made.size = sizeof(nnrun_component);
  made.kind = kind;
  made.name = name;
  made.doc = doc;
  made.params = params<rows>.data();
  made.param_count = rows.size();
  made.get_default = [](std::size_t index, nnrun_value* value) { *value = rows[index].value; };
  return made;
}
constexpr nnrun_component bare(const char* kind, const char* name, const char* doc) {
  nnrun_component made = {};
  made.size = sizeof(nnrun_component);
  made.kind = kind;
  made.name = name;
  made.doc = doc;
  return made;
}

constexpr Row integers_or_word(const char* name, const char* doc, const char* value, const char* const* choices, std::size_t count_min,
                               std::size_t count_max, double maximum) {
  Row made = list(NNRUN_INTEGER_LIST, name, doc, count_min, count_max, 0);
  made.param.maximum = maximum;
  made.param.choices = choices;
  made.value.string = value;
  return made;
}
constexpr auto above = NNRUN_PARAM_MINIMUM_EXCLUDED;
constexpr auto below = NNRUN_PARAM_MAXIMUM_EXCLUDED;

constexpr const char* generators[] = {"philox", "lcg", nullptr};
constexpr const char* paddings[] = {"valid", "same", nullptr};
constexpr const char* units_of_time[] = {"epoch", "step", nullptr};
constexpr std::int64_t three[] = {3, 3};

constexpr std::array dense_rows = {
    required(integer("units", "number of outputs a sample", 0, 1)),
    boolean("bias", "whether to add a trained bias to each output", true),
    component("weights", "how the weights start", "initializer", "he_uniform"),
    component("bias_initializer", "how the biases start", "initializer", "zeros"),
};
constexpr std::array conv2d_rows = {
    required(integer("filters", "number of output channels", 0, 1, 2147483647)),
    with_integers(list(NNRUN_INTEGER_LIST, "kernel", "height and width of the window", 1, 2, 1), three, 2),
    integers_or_word("padding", "what lies beyond the border", "valid", paddings, 1, 4, 65536),
    number("slope", "for testing: no default that could be written", 0, 0, 1, above),
};
constexpr std::array dropout_rows = {number("rate", "share of the elements to zero", 0.5, 0, 1, below)};
constexpr std::array batchnorm_rows = {
    number("momentum", "share of the running statistics that a batch leaves in place", 0.9, 0, 1, below),
    number("epsilon", "added to the variance, against division by zero", 1e-5, 0, unbounded, above),
    component("gamma_initializer", "how the channels' scales start", "initializer", "ones"),
    component("beta_initializer", "how the channels' offsets start", "initializer", "zeros"),
};
constexpr std::array add_rows = {required(reference("with", "the layer whose output is added"))};
constexpr std::array sgd_rows = {
    number("learning_rate", "size of a step", 0.01, 0, unbounded, above),
    number("weight_decay", "L2: this share of each weight is added to its gradient", 0, 0, unbounded),
    component("schedule", "what the learning rate is multiplied by as training goes on", "schedule", "constant"),
};
constexpr std::array momentum_rows = {
    number("learning_rate", "size of a step", 0.01, 0, unbounded, above),
    number("beta", "share of the velocity that a step keeps", 0.9, 0, 1, below),
    boolean("nesterov", "whether to look one step ahead", false),
    number("weight_decay", "L2: this share of each weight is added to its gradient", 0, 0, unbounded),
    component("schedule", "what the learning rate is multiplied by as training goes on", "schedule", "constant"),
};
constexpr std::array adam_rows = {
    number("learning_rate", "size of a step", 0.001, 0, unbounded, above),
    number("beta1", "share of the gradient's average that a step keeps", 0.9, 0, 1, below),
    number("beta2", "share of the squared gradient's average that a step keeps", 0.999, 0, 1, below),
    number("epsilon", "added to the root of the squared gradient's average", 1e-8, 0, unbounded, above),
    number("weight_decay", "L2: this share of each weight is added to its gradient", 0, 0, unbounded),
    component("schedule", "what the learning rate is multiplied by as training goes on", "schedule", "constant"),
};
constexpr std::array exponential_rows = {
    required(number("factor", "what the rate is multiplied by each time", 0, 0, 1, above)),
    choice("per", "how often: after each epoch, or each step", "epoch", units_of_time),
};
constexpr std::array one_cycle_rows = {
    number("warm_up", "share of the steps on which the rate rises", 0.3, 0, 1, below),
    number("start", "share of the learning rate to start from", 0.04, 0, 1),
    number("final", "share of the learning rate that is left at the last step", 0.0001, 0, 1),
};
constexpr std::array he_uniform_rows = {
    choice("generator", "of the random numbers; lcg is for comparing with small C programs", "philox", generators)};
constexpr std::array drawn_digits_rows = {integer("count", "samples of train", 6000, 1)};
constexpr std::array scale_rows = {number("divide_by", "what every number is divided by", 255, 0, unbounded, above)};
constexpr std::array normalize_rows = {
    required(list(NNRUN_NUMBER_LIST, "mean", "subtracted; one number, or one a channel", 1, 65536, -unbounded)),
    required(list(NNRUN_NUMBER_LIST, "deviation", "divided by; one number, or one a channel", 1, 65536, 0)),
};
constexpr std::array console_rows = {number("every", "seconds between two lines", 1, 0, unbounded), text("title", "shown first", "")};

constexpr nnrun_component components[] = {
    make<dense_rows>("layer", "dense", "y = x w + b"),
    make<conv2d_rows>("layer", "conv2d", "a filter moved over height and width"),
    make<dropout_rows>("layer", "dropout", "zeroes elements while training"),
    make<batchnorm_rows>("layer", "batchnorm", "each channel to mean 0 and deviation 1"),
    make<add_rows>("layer", "add", "adds the output of an earlier layer"),
    bare("layer", "relu", "y = max(x, 0)"),
    bare("layer", "flatten", "all dimensions but the batch become one"),
    bare("layer", "softmax", "rows become probabilities"),
    bare("loss", "softmax_cross_entropy", "softmax, then cross entropy with the label"),
    make<sgd_rows>("optimizer", "sgd", "w -= learning_rate * gradient"),
    make<momentum_rows>("optimizer", "momentum", "SGD with a velocity"),
    make<adam_rows>("optimizer", "adam", "Adam"),
    bare("schedule", "constant", "the same rate all the time"),
    make<exponential_rows>("schedule", "exponential", "the rate shrinks by a factor"),
    make<one_cycle_rows>("schedule", "one_cycle", "the rate rises, then falls"),
    make<he_uniform_rows>("initializer", "he_uniform", "uniform within sqrt(6 / fan_in)"),
    bare("initializer", "zeros", "0"),
    bare("initializer", "ones", "1"),
    bare("metric", "accuracy", "share of the samples whose largest output is the label"),
    make<scale_rows>("transform", "scale", "divides by a number"),
    make<normalize_rows>("transform", "normalize", "to mean 0 and deviation 1"),
    bare("dataset", "idx", "the MNIST files"),
    make<drawn_digits_rows>("dataset", "drawn_digits", "digits drawn by a program"),
    make<console_rows>("observer", "console", "a progress bar"),
    bare("observer", "metrics", "metrics.jsonl"),
    bare("observer", "report", "report.html"),
    bare("kernels", "scalar", "plain C++"),
    bare("kernels", "avx2", "AVX2 and FMA"),
};

}  // namespace

const nnrun_component* FakeLookup::find(std::string_view kind, std::string_view name) const {
  if (name.starts_with("nnrun/")) name.remove_prefix(6);
  for (const nnrun_component& candidate : components) {
    if (kind == candidate.kind && name == candidate.name) return &candidate;
  }
  return nullptr;
}

std::vector<std::string> FakeLookup::kinds() const {
  std::set<std::string> kinds;
  for (const nnrun_component& candidate : components) kinds.insert(candidate.kind);
  return {kinds.begin(), kinds.end()};
}

std::vector<std::string> FakeLookup::names(std::string_view kind) const {
  std::vector<std::string> names;
  for (const nnrun_component& candidate : components) {
    if (kind == candidate.kind) names.emplace_back(candidate.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> FakeLookup::notes(std::string_view, std::string_view name) const {
  if (name == "swish") return {"nnrun_swish.so was skipped: it needs ABI 2, this nnrun provides 1"};
  return {};
}

std::vector<std::string> FakeLookup::ambiguous(std::string_view kind, std::string_view name) const {
  if (kind == "layer" && name == "twice") return {"acme/twice", "other/twice"};
  return {};
}

}  // namespace nnrun::test
