#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "config/merge.hpp"
#include "config/settings.hpp"
#include "config/yaml.hpp"
#include "fake_components.hpp"

using namespace nnrun::core;
using nnrun::test::FakeLookup;

namespace {

const FakeLookup lookup;

const std::string base = R"(seed: 7
data:
  source: idx
  train: mnist
  test: mnist
  validation: {from: train, share: 0.1}
  transforms: [{scale: {divide_by: 2}}]
model:
  layers:
    - flatten
    - dense: {units: 16, weights: zeros}
      name: hidden
    - dropout: {rate: 0.5}
    - add: {with: hidden}
    - dense: {units: 10}
train:
  loss: softmax_cross_entropy
  optimizer: {sgd: {learning_rate: 0.5, schedule: {exponential: {factor: 0.9}}}}
)";

Settings settings_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return check(config_from_text("x.yaml", text, overrides), lookup);
}

std::string errors_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    settings_of(text, overrides);
  } catch (const DiagnosticError& error) {
    return error.what();
  }
  return {};
}

// What a file says on top of another one.
Settings extended(const std::string& below, const std::string& above, const std::vector<std::string>& overrides = {}) {
  Config config = config_from_text("base.yaml", below, overrides);
  config.files.push_back(parse_yaml("top.yaml", above));
  return check(config, lookup);
}

double rate_of(const Settings& settings) { return settings.train.optimizer->value("learning_rate")->number; }

}  // namespace

TEST_CASE("defaults are filled in") {
  const Settings settings = settings_of(base);
  CHECK(settings.seed == 7);
  CHECK(settings.name == "x.yaml");
  CHECK(settings.train.epochs == 10);
  CHECK(settings.train.batch == 32);
  CHECK(settings.train.shuffle);
  CHECK_FALSE(settings.train.keep_best);
  CHECK(settings.train.checkpoint_seconds == 30);
  CHECK(settings.train.metrics.empty());
  CHECK(settings.run.threads == 0);
  CHECK(settings.run.kernels.default_table == "auto");
  CHECK(settings.run.folder.path == "runs");
  REQUIRE(settings.run.observers.size() == 3);
  CHECK(settings.run.observers[1].reference == "metrics");
  CHECK(settings.data.validation.from == ValidationSettings::From::train);
  CHECK(settings.data.validation.share == 0.1);
  CHECK_FALSE(settings.data.otherwise.has_value());
}

TEST_CASE("places and paths are kept") {
  const Settings settings = settings_of(base);
  const ComponentSpec& dense = settings.model.layers.at(1);
  CHECK(dense.path == "model.layers[1].dense");
  CHECK(dense.label == "hidden");
  CHECK(dense.where.line == 11);
  CHECK(dense.location_of("units").column == 22);
  CHECK(dense.location_of("bias").line == 11);
  CHECK(settings.train.optimizer->value("schedule")->components.at(0).path == "train.optimizer.sgd.schedule.exponential");
  CHECK(settings.data.train.where.line == 4);
}

TEST_CASE("maps merge by key") {
  const Settings settings = extended(base, "train: {epochs: 3}\nrun: {threads: 4}\n");
  CHECK(settings.train.epochs == 3);
  CHECK(settings.run.threads == 4);
  CHECK(rate_of(settings) == 0.5);
  CHECK(settings.train.loss->reference == "softmax_cross_entropy");
}

TEST_CASE("a component merges with one of the same name") {
  const Settings settings = extended(base, "train: {optimizer: {sgd: {weight_decay: 0.25}}}\n");
  CHECK(rate_of(settings) == 0.5);
  CHECK(settings.train.optimizer->value("weight_decay")->number == 0.25);
  CHECK(rate_of(extended(base, "train: {optimizer: sgd}\n")) == 0.5);
  CHECK(extended(base, "train: {optimizer: {nnrun/sgd: {weight_decay: 1}}}\n").train.optimizer->value("learning_rate")->number == 0.5);
}

TEST_CASE("another component leaves nothing of the old one behind") {
  const Settings settings = extended(base, "train: {optimizer: adam}\n");
  CHECK(settings.train.optimizer->reference == "adam");
  CHECK(rate_of(settings) == 0.001);
  CHECK(settings_of(base, {"train.optimizer=adam", "train.optimizer.adam.learning_rate=0.1"})
            .train.optimizer->value("learning_rate")
            ->number == 0.1);
  const Settings nested = extended(base, "train: {optimizer: {sgd: {schedule: constant}}}\n");
  CHECK(nested.train.optimizer->value("schedule")->components.at(0).reference == "constant");
  CHECK(rate_of(nested) == 0.5);
}

TEST_CASE("lists are replaced whole") {
  CHECK(extended(base, "model: {layers: [flatten, {dense: {units: 3}}]}\n").model.layers.size() == 2);
  CHECK(extended(base, "data: {transforms: []}\n").data.transforms.empty());
}

TEST_CASE("validation merges only with its own kind") {
  const Settings settings = extended(base, "data: {validation: {from: test, range: [1, 5]}}\n");
  CHECK(settings.data.validation.from == ValidationSettings::From::test);
  CHECK(settings.data.validation.end == 5);
  CHECK(extended(base, "data: {validation: {share: 0.3}}\n").data.validation.share == 0.3);
  CHECK(extended(base, "data: {validation: a/folder}\n").data.validation.path == "a/folder");
  CHECK(extended(base, "data: {validation: null}\n").data.validation.from == ValidationSettings::From::none);
}

TEST_CASE("overrides change one thing, from left to right") {
  CHECK(settings_of(base, {"train.epochs=3", "train.epochs=4"}).train.epochs == 4);
  CHECK(settings_of(base, {"model.layers[2].dropout.rate=0.25"}).model.layers[2].value("rate")->number == 0.25);
  const Settings named = settings_of(base, {"model.layers.hidden.dense.units=5"});
  CHECK(named.model.layers[1].value("units")->integer == 5);
  CHECK(named.model.layers[1].value("weights")->components.at(0).reference == "zeros");
  CHECK(settings_of(base, {"data.transforms[0].scale.divide_by=255"}).data.transforms[0].value("divide_by")->number == 255);
  CHECK(settings_of(base, {"train.optimizer.sgd.schedule.exponential.factor=0.5"})
            .train.optimizer->value("schedule")
            ->components[0]
            .value("factor")
            ->number == 0.5);
  CHECK(settings_of(base, {"model.layers[4].dense.weights.he_uniform.generator=lcg"})
            .model.layers[4]
            .value("weights")
            ->components[0]
            .value("generator")
            ->string == "lcg");
  CHECK(settings_of(base, {"data.validation.share=0.2"}).data.validation.share == 0.2);
  CHECK(settings_of(base, {"run.kernels.gemm_f32=scalar"}).run.kernels.tables.at(0).text == "scalar");
  CHECK(settings_of(base, {"run.kernels=avx2", "run.kernels.gemm_f32=scalar"}).run.kernels.default_table == "avx2");
  CHECK(settings_of(base, {"run.observers[0].console.every=5"}).run.observers[0].value("every")->number == 5);
  CHECK(settings_of(base, {"train.checkpoint.seconds=0.5"}).train.checkpoint_seconds == 0.5);
  CHECK(
      settings_of(base, {"data.transforms=[{normalize: {mean: [1, 2], deviation: 3}}]"}).data.transforms[0].value("mean")->numbers.size() ==
      2);
}

TEST_CASE("a replaced layer keeps its name, since others refer to it") {
  const Settings settings = settings_of(base, {"model.layers[1]={dropout: {rate: 0.1}}"});
  CHECK(settings.model.layers[1].reference == "dropout");
  CHECK(settings.model.layers[1].label == "hidden");
  const Settings renamed = settings_of(base, {"model.layers[1].name=first", "model.layers[3].add.with=first"});
  CHECK(renamed.model.layers[1].label == "first");
}

TEST_CASE("an override that fails leaves nothing behind, and does not hide other errors") {
  const std::string errors = errors_of(base, {"train.checkpoint.second=1", "train.epochs=0"});
  CHECK(errors.find("train.checkpoint has no key 'second'") != std::string::npos);
  CHECK(errors.find("train.epochs must be at least 1") != std::string::npos);
}

TEST_CASE("references name an earlier layer") {
  CHECK(errors_of(base, {"model.layers[3].add.with=hiden"}).find("did you mean 'hidden'?") != std::string::npos);
  CHECK(errors_of(base, {"model.layers[4].name=last", "model.layers[3].add.with=last"}).find("does not come before this one") !=
        std::string::npos);
}

TEST_CASE("a skipped plugin and an ambiguous name are explained") {
  CHECK(errors_of(base, {"model.layers[2]=swish"}).find("note: nnrun_swish.so was skipped: it needs ABI 2, this nnrun provides 1") !=
        std::string::npos);
  CHECK(errors_of(base, {"model.layers[2]=twice"}).find("write one of acme/twice, other/twice") != std::string::npos);
}

TEST_CASE("a net without data needs only its input") {
  const Settings settings = settings_of("model: {input: [784], layers: [relu]}\n");
  CHECK(settings.model.input == std::vector<std::int64_t>{784});
  CHECK_FALSE(settings.data.source.has_value());
  CHECK_FALSE(settings.train.loss.has_value());
}

TEST_CASE("hundreds of errors are cut short") {
  std::string text = "model:\n  layers:\n";
  for (int i = 0; i < 500; ++i) text += "    - desne\n";
  const std::string errors = errors_of(text);
  CHECK(errors.find("more errors") != std::string::npos);
  CHECK(errors.size() < 30000);
}

TEST_CASE("a resolved config reads back the same, whatever is set") {
  const std::vector<std::vector<std::string>> changes = {
      {},
      {"train.optimizer=adam", "train.optimizer.adam.epsilon=1e-300"},
      {"data.validation={from: test, range: [9000, 10000]}", "train.keep=best"},
      {"data.validation=null", "data.otherwise={drawn_digits: {count: 5}}"},
      {"data.train=\"a: 'b' # [c] \\\"d\\\"\"", "data.test=~null"},
      {"data.train=\"\\x01\\t\\n\\\\ \"", "data.test=123", "run.folder=true"},
      {"model.layers[0]={conv2d: {filters: 3, kernel: 5, padding: same}}"},
      {"model.layers[0]={conv2d: {filters: 3, slope: 0.5}}"},
      {"model.layers[0]={conv2d: {filters: 3, padding: 2}}"},
      {"model.layers[0]={conv2d: {filters: 3, padding: [1, 0]}}", "model.layers[0].conv2d.padding[1]=4"},
      {"model.layers[0]={conv2d: {filters: 3, padding: same}}", "model.layers[0].conv2d.padding=1"},
      {"run.threads=7", "run.kernels={default: scalar, gemm_f32: avx2}", "run.observers=[]"},
      {"plugins=[a.so, \"b c.so\"]", "seed=9223372036854775807"},
      {"model.layers[2].name=true", "run.observers[0].console.title=größe"},
  };
  for (const auto& overrides : changes) {
    const Settings settings = settings_of(base, overrides);
    const std::string text = write_resolved(settings);
    INFO(text);
    const Settings again = settings_of(text);
    CHECK(compare(settings, again).empty());
    CHECK(write_resolved(again) == text);
  }
}

TEST_CASE("a resolved config looks like one that a person wrote") {
  CHECK(write_resolved(settings_of(base, {"model.layers[1].dense.weights={he_uniform: {generator: lcg}}"})) == R"(seed: 7

data:
  source: idx
  train: mnist
  test: mnist
  validation: {from: train, share: 0.1}
  transforms: [{scale: {divide_by: 2}}]

model:
  layers:
    - flatten
    - dense: {units: 16, bias: true, weights: {he_uniform: {generator: lcg}}, bias_initializer: zeros}
      name: hidden
    - dropout: {rate: 0.5}
    - add: {with: hidden}
    - dense: {units: 10, bias: true, weights: {he_uniform: {generator: philox}}, bias_initializer: zeros}

train:
  epochs: 10
  batch: 32
  loss: softmax_cross_entropy
  optimizer: {sgd: {learning_rate: 0.5, weight_decay: 0, schedule: {exponential: {factor: 0.9, per: epoch}}}}
  metrics: []
  keep: last
  checkpoint: {seconds: 30}
  shuffle: true
  accumulate: 1
  early_stopping: {minimum_improvement: 0}

run:
  threads: auto
  kernels: auto
  exact: false
  precision: f32
  observers: [{console: {every: 1, title: ""}}, metrics, report]
  folder: runs
)");
}

TEST_CASE("compare names the full paths that changed") {
  const Settings settings = settings_of(base);
  using Paths = std::vector<std::string>;
  CHECK(compare(settings, settings_of(base)).empty());
  CHECK(compare(settings, settings_of(base, {"train.batch=1", "seed=3"})) == Paths{"seed", "train.batch"});
  CHECK(compare(settings, settings_of(base, {"model.layers[1].dense.units=3"})) == Paths{"model.layers[1].dense.units"});
  CHECK(compare(settings, settings_of(base, {"train.optimizer=adam"})) == Paths{"train.optimizer"});
  CHECK(compare(settings, settings_of(base, {"train.optimizer.sgd.schedule.exponential.factor=1"})) ==
        Paths{"train.optimizer.sgd.schedule.exponential.factor"});
  CHECK(compare(settings, settings_of(base, {"model.layers[2]=relu"})) == Paths{"model.layers[2]"});
  CHECK(compare(settings, settings_of(base, {"data.transforms=[]", "run.threads=2"})) == Paths{"data.transforms", "run.threads"});
  CHECK(compare(settings, settings_of(base, {"data.validation.share=0.2"})) == Paths{"data.validation.share"});
  CHECK(compare(settings, settings_of(base, {"train.checkpoint.seconds=1"})) == Paths{"train.checkpoint.seconds"});
}
