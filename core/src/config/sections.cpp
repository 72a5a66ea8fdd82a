#include "config/sections.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "config/schema.hpp"

namespace nnrun::core {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

constexpr nnrun_param row(std::uint32_t type, const char* name, const char* doc) {
  nnrun_param param = {};
  param.size = sizeof(nnrun_param);
  param.type = type;
  param.name = name;
  param.doc = doc;
  param.minimum = -unbounded;
  param.maximum = unbounded;
  param.count_max = std::numeric_limits<std::size_t>::max();
  return param;
}

constexpr nnrun_param required(nnrun_param param) {
  param.flags |= NNRUN_PARAM_REQUIRED;
  return param;
}

constexpr nnrun_param range(nnrun_param param, double minimum, double maximum, std::uint32_t flags = 0) {
  param.minimum = minimum;
  param.maximum = maximum;
  param.flags |= flags;
  return param;
}

constexpr nnrun_param items(nnrun_param param, std::size_t minimum, std::size_t maximum = std::numeric_limits<std::size_t>::max()) {
  param.count_min = minimum;
  param.count_max = maximum;
  return param;
}

constexpr nnrun_param choices(nnrun_param param, const char* const* words) {
  param.choices = words;
  return param;
}

constexpr nnrun_param of_kind(nnrun_param param, const char* kind) {
  param.component_kind = kind;
  return param;
}

constexpr nnrun_param layers(const char* name, const char* doc) { return of_kind(row(type_layer_list, name, doc), "layer"); }

constexpr nnrun_param section(const char* name, const char* doc) { return of_kind(row(type_section, name, doc), name); }

// What get_default answers; one a parameter, in the same order.
struct Default {
  const char* word = nullptr;  // lists of components: names, separated by spaces
  std::int64_t integer = 0;
  double number = 0;
};

void write_default(const Default& from, nnrun_value* value) {
  *value = {};
  value->string = from.word;
  value->integer = from.integer;
  value->number = from.number;
}

template <const auto& params, const auto& defaults>
constexpr nnrun_component make_section(const char* name, const char* doc) {
  static_assert(params.size() == defaults.size(), "each key needs a default");
  nnrun_component component = {};
  component.size = sizeof(nnrun_component);
  component.kind = "section";
  component.name = name;
  component.doc = doc;
  component.params = params.data();
  component.param_count = params.size();
  component.get_default = [](std::size_t index, nnrun_value* value) { write_default(defaults[index], value); };
  return component;
}

constexpr const char* precisions[] = {"f32", "bf16", nullptr};
constexpr const char* auto_word[] = {"auto", nullptr};
constexpr const char* split_words[] = {"train", "test", nullptr};
constexpr const char* keep_words[] = {"last", "best", nullptr};

constexpr std::array root_params = {
    row(NNRUN_STRING, "extends", "another config, relative to this file, whose keys count where this one has none"),
    range(row(NNRUN_INTEGER, "seed", "all random numbers of a run come from it"), 0, unbounded),
    row(type_string_list, "plugins", "further plugin files, or folders of them, relative to this file"),
    section("data", "where samples come from, and what happens to them before the net sees them"),
    section("model", "the net"),
    section("train", "how the net is trained"),
    section("run", "threads, kernels, and what a run leaves behind; has no influence on the result"),
    of_kind(row(type_component_list, "quantize",
                "what the trained net is made into besides, each a checkpoint of integers beside the float one"),
            "quantizer"),
};
constexpr std::array<Default, root_params.size()> root_defaults = {{{""}, {nullptr, 42}, {}, {}, {}, {}, {}, {}}};

constexpr std::array data_params = {
    of_kind(row(NNRUN_COMPONENT, "source", "what reads the samples; needed unless model.input says the shape"), "dataset"),
    row(NNRUN_STRING, "train", "file or folder of the training set, relative to the data root"),
    row(NNRUN_STRING, "test", "file or folder of the test set, relative to the data root"),
    of_kind(row(type_string_or_section, "validation", "a path; or a share of train; or a range of test"), "validation"),
    of_kind(row(type_component_list, "transforms", "what is done to each sample, in this order; kept with the weights"), "transform"),
    of_kind(row(NNRUN_COMPONENT, "otherwise", "drawn stand-ins, where the default data root lacks the set"), "dataset"),
};
constexpr std::array<Default, data_params.size()> data_defaults = {};

constexpr std::array validation_params = {
    required(choices(row(NNRUN_CHOICE, "from", "whose samples they are: train's (a share), or test's (a range)"), split_words)),
    range(row(NNRUN_NUMBER, "share", "of train: how much of it, eg: 0.1; left out otherwise"), 0, 1,
          NNRUN_PARAM_MINIMUM_EXCLUDED | NNRUN_PARAM_MAXIMUM_EXCLUDED),
    items(range(row(NNRUN_INTEGER_LIST, "range", "of test: [first, behind the last], eg: [9000, 10000]; left out otherwise"), 0, unbounded),
          2, 2),
};
constexpr std::array<Default, validation_params.size()> validation_defaults = {};

constexpr std::array model_params = {
    required(items(layers("layers", "from input to output; each may have 'name:' and 'freeze: true' beside it"), 1)),
    items(range(row(NNRUN_INTEGER_LIST, "input", "shape of one sample; only for nets without data"), 1, unbounded), 1, NNRUN_MAX_RANK - 1),
    section("start_from", "weights to start from, by name, instead of random ones"),
};
constexpr std::array<Default, model_params.size()> model_defaults = {};

constexpr std::array repeat_params = {
    required(range(row(NNRUN_INTEGER, "times", "how many times"), 1, 10000)),
    required(items(layers("layers", "what is repeated; a name in it gets -1, -2, ... behind it"), 1)),
};
constexpr std::array<Default, repeat_params.size()> repeat_defaults = {};

constexpr std::array residual_params = {
    required(items(layers("layers", "what the input goes through before it is added"), 1)),
    layers("shortcut", "what the input that is added goes through itself, where the shapes differ otherwise; left out, nothing"),
};
constexpr std::array<Default, residual_params.size()> residual_defaults = {};

constexpr std::array start_from_params = {
    row(NNRUN_STRING, "checkpoint", "a .safetensors file, eg runs/first/1/best.safetensors; relative to the current directory"),
    row(type_string_list, "layers", "which layers take their weights from it; left out, all whose names and shapes it has"),
};
constexpr std::array<Default, start_from_params.size()> start_from_defaults = {};

constexpr std::array train_params = {
    range(row(NNRUN_INTEGER, "epochs", "how often each sample is seen"), 1, 2147483647),
    range(row(NNRUN_INTEGER, "batch", "samples a step"), 1, 65536),
    of_kind(row(NNRUN_COMPONENT, "loss", "what is made small; needed unless model.input says the shape"), "loss"),
    of_kind(row(NNRUN_COMPONENT, "optimizer", "how weights follow gradients; needed unless model.input says the shape"), "optimizer"),
    of_kind(row(type_component_list, "metrics", "what is measured besides the loss"), "metric"),
    choices(row(NNRUN_CHOICE, "keep", "the weights that are tested: of the last epoch, or the best on validation"), keep_words),
    section("checkpoint", "when the run's state is saved"),
    row(NNRUN_BOOLEAN, "shuffle", "a new order of the samples each epoch"),
    range(row(NNRUN_NUMBER, "gradient_clipping",
              "the largest norm that all gradients of a step may have together; larger ones are scaled down to it"),
          0, unbounded, NNRUN_PARAM_MINIMUM_EXCLUDED),
    range(row(NNRUN_INTEGER, "accumulate", "batches whose gradients make up one step: like one larger batch, in less memory"), 1, 65536),
    range(row(NNRUN_NUMBER, "average", "decay, eg 0.999, of a moving average of the weights, which is then validated, tested and kept"), 0,
          1, NNRUN_PARAM_MINIMUM_EXCLUDED | NNRUN_PARAM_MAXIMUM_EXCLUDED),
    section("early_stopping", "training ends when validation has not improved for some epochs; off unless patience is given"),
};
constexpr std::array<Default, train_params.size()> train_defaults = {
    {{nullptr, 10}, {nullptr, 32}, {}, {}, {}, {"last"}, {}, {nullptr, 1}, {}, {nullptr, 1}, {}, {}}};

constexpr std::array checkpoint_params = {
    range(row(NNRUN_NUMBER, "seconds", "from one checkpoint to the next; each epoch ends with one too"), 0, unbounded),
};
constexpr std::array<Default, checkpoint_params.size()> checkpoint_defaults = {{{nullptr, 0, 30}}};

constexpr std::array early_stopping_params = {
    range(row(NNRUN_INTEGER, "patience", "epochs without improvement after which training ends"), 1, 2147483647),
    row(NNRUN_STRING, "metric", "what has to improve: loss, or one of train.metrics; left out, the first of these"),
    range(row(NNRUN_NUMBER, "minimum_improvement", "by how much it has to be better than the best so far, eg 0.001"), 0, unbounded),
};
constexpr std::array<Default, early_stopping_params.size()> early_stopping_defaults = {};

constexpr std::array run_params = {
    choices(
        range(row(type_word_or_integer, "threads", "how many; auto: as many as this process may use. Results do not depend on it"), 1, 256),
        auto_word),
    of_kind(
        row(type_kernels, "kernels",
            "auto; or a table, eg: avx2; or a table a kernel, eg: {default: auto, gemm_f32: scalar}; a layer's own: see nnrun plan --why"),
        "kernels"),
    row(NNRUN_STRING, "tuned_on",
        "the machine on which `nnrun bench --tune` chose kernels for layers; on others these choices are left out"),
    row(NNRUN_BOOLEAN, "exact", "leaves out fast algorithms that round more than the order of sums asks for, eg: Winograd's convolutions"),
    choices(row(NNRUN_CHOICE, "precision",
                "of what the kernels multiply; bf16: where there are kernels for it. Weights, sums and all the rest stay f32"),
            precisions),
    of_kind(row(type_component_list, "observers", "what watches the run and reports it"), "observer"),
    row(NNRUN_STRING, "folder", "where runs are kept"),
};
constexpr std::array<Default, run_params.size()> run_defaults = {
    {{"auto"}, {"auto"}, {}, {}, {"f32"}, {"console metrics report"}, {"runs"}}};

constexpr nnrun_component root = make_section<root_params, root_defaults>("config", "a config file");
constexpr nnrun_component data = make_section<data_params, data_defaults>("data", root_params[3].doc);
constexpr nnrun_component validation = make_section<validation_params, validation_defaults>("validation", "a part of train or test");
constexpr nnrun_component model = make_section<model_params, model_defaults>("model", root_params[4].doc);
constexpr nnrun_component start_from = make_section<start_from_params, start_from_defaults>("start_from", model_params[2].doc);
constexpr nnrun_component train = make_section<train_params, train_defaults>("train", root_params[5].doc);
constexpr nnrun_component checkpoint = make_section<checkpoint_params, checkpoint_defaults>("checkpoint", train_params[6].doc);
constexpr nnrun_component early_stopping =
    make_section<early_stopping_params, early_stopping_defaults>("early_stopping", train_params[11].doc);
constexpr nnrun_component run = make_section<run_params, run_defaults>("run", root_params[6].doc);

constexpr nnrun_component as_layer(nnrun_component section) {
  section.kind = "layer";
  return section;
}
constexpr nnrun_component repeat =
    as_layer(make_section<repeat_params, repeat_defaults>("repeat", "layers, several times, each time with weights of their own"));
constexpr nnrun_component residual =
    as_layer(make_section<residual_params, residual_defaults>("residual", "layers whose input is added to their output (He et al. 2016)"));
constexpr const nnrun_component* layer_groups[] = {&repeat, &residual};

constexpr const nnrun_component* sections[] = {&root, &data, &validation, &model, &start_from, &train, &checkpoint, &early_stopping, &run};

}  // namespace

const nnrun_component& root_section() { return root; }

const nnrun_component* find_section(std::string_view name) {
  for (const nnrun_component* candidate : sections) {
    if (candidate->name == name) return candidate;
  }
  return nullptr;
}

std::span<const nnrun_component* const> all_sections() { return sections; }

const nnrun_component* find_layer_group(std::string_view name) {
  for (const nnrun_component* candidate : layer_groups) {
    if (candidate->name == name) return candidate;
  }
  return nullptr;
}

std::span<const nnrun_component* const> all_layer_groups() { return layer_groups; }

bool is_layer_group(const nnrun_component& component) { return &component == &repeat || &component == &residual; }

bool is_repeat(const nnrun_component& component) { return &component == &repeat; }

}  // namespace nnrun::core
