// The whole config, typed and checked. Step 2 of 2; plugins are loaded by now.
//
//   Config config = load_config(path, overrides);       // config.hpp
//   ... load config.plugins ...
//   Settings settings = check(config, lookup);          // throws DiagnosticError with all errors
//
// Settings do not change after that: what a flag such as --threads says goes in as an override.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/component_lookup.hpp"
#include "config/config.hpp"
#include "config/schema.hpp"

namespace nnrun::core {

struct PathSetting {
  std::string path;  // as written; "": not given
  Location where;
};

struct ValidationSettings {
  enum class From {
    none,
    train,
    test,
    path
  };
  From from = From::none;
  double share = 0;                 // train: of its samples, above 0 and below 1
  std::int64_t begin = 0, end = 0;  // test: samples [begin, end)
  std::string path;                 // path
  Location where;                   // of share, range or path
};

struct DataSettings {
  std::optional<ComponentSpec> source;  // kind dataset; none: the net has no data, model.input says the shape
  PathSetting train, test;
  ValidationSettings validation;
  std::vector<ComponentSpec> transforms;   // kind transform
  std::optional<ComponentSpec> otherwise;  // kind dataset
  Location where;
};

struct StartFrom {
  std::string checkpoint;           // absolute; "": weights start as their initializers say
  std::vector<std::string> layers;  // empty: all that fit
  std::vector<Location> layer_locations;
  Location where;  // of the checkpoint
};

struct ModelSettings {
  std::vector<ComponentSpec> layers;             // kind layer, at least one, groups written out; their `label` is unique or ""
  std::vector<std::vector<std::size_t>> inputs;  // of each layer; 0 is the net's input, i + 1 the output of layers[i]
  std::vector<std::int64_t> input;               // without the batch; empty: from the data
  StartFrom start_from;
  Location layers_where, input_where;
};

struct EarlyStopping {
  std::int64_t patience = 0;  // epochs without improvement; 0: training goes on to its end
  std::string metric;         // "loss", or one of train.metrics; "": the first of these, or the loss where there are none
  double minimum_improvement = 0;
};

struct TrainSettings {
  std::int64_t epochs = 10;
  std::int64_t batch = 32;
  std::optional<ComponentSpec> loss, optimizer;  // there where data.source is
  std::vector<ComponentSpec> metrics;            // kind metric
  bool keep_best = false;
  double checkpoint_seconds = 30;
  bool shuffle = true;
  double gradient_clipping = 0;  // the largest norm of all gradients; 0: any
  std::int64_t accumulate = 1;   // batches a step
  double average = 0;            // decay of the moving average of the weights; 0: none is kept
  EarlyStopping early_stopping;
  Location where, batch_where, keep_where;
};

struct KernelSettings {
  std::string default_table = "auto";
  bool exact = false;  // only those within their rows' bounds
  bool bf16 = false;   // those that multiply in bfloat16, too
  Location precision_where;
  // What is asked for, how, location: a kernel ("gemm_f32") and a table, or one request of a layer ("1.dense/gemm_f32#2") and a table
  // with a way ("avx512, Winograd").
  std::vector<NamedText> tables;
  std::string tuned_on;  // the machine on which those of layers were measured; "": they are for all
  Location where;
};

struct RunSettings {
  int threads = 0;  // 0: auto
  KernelSettings kernels;
  std::vector<ComponentSpec> observers;  // kind observer
  PathSetting folder;
  Location threads_where;
};

struct Settings {
  std::string name;  // of the config file, as the user wrote it
  std::uint64_t seed = 42;
  std::vector<PluginPath> plugins;
  DataSettings data;
  ModelSettings model;
  TrainSettings train;
  RunSettings run;
  std::vector<ComponentSpec> quantize;  // kind quantizer
  ComponentSpec root;                   // the same again as the tables in sections.hpp see it: for writing and comparing
};

// Merges and checks. Throws DiagnosticError with all errors of files and overrides at once.
Settings check(const Config& config, const ComponentLookup& lookup);
// A merged tree alone.
Settings check(const Node& tree, const ComponentLookup& lookup);

// YAML with every default written out; read again, it gives equal settings.
std::string write_resolved(const Settings& settings);

// Full paths whose values differ, in the config's order, eg: {"train.batch", "model.layers[3].dense.units"}.
// A different component is one path ("train.optimizer"), and so is a list of another length.
std::vector<std::string> compare(const Settings& a, const Settings& b);

}  // namespace nnrun::core
