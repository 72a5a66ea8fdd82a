// What a config costs on this machine, and how near that is to what the machine can do.
#include "commands.hpp"
#include "deployment/predictor.hpp"
#include "net/network.hpp"
#include "peak.hpp"
#include "steps.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

namespace nnrun::tool {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The median of many calls, after a tenth of the time to warm up. Short ones are timed several together: reading the clock takes a part of
// a microsecond.
double median_seconds(double budget, const std::function<void()>& call) {
  constexpr double long_enough = 50e-6;
  const auto start = Clock::now();
  int warm_up_calls = 0;
  do {
    call();
    ++warm_up_calls;
  } while (seconds_since(start) < 0.1 * budget);
  const int together = std::max(1, static_cast<int>(long_enough * warm_up_calls / seconds_since(start)));
  std::vector<double> times;
  while (times.size() < 5 || seconds_since(start) < 1.1 * budget) {
    const auto begin = Clock::now();
    for (int i = 0; i < together; ++i) call();
    times.push_back(seconds_since(begin) / together);
  }
  return median(std::move(times));
}

// Loading one batch after the other, through the epochs, with nothing beside it.
double measure_loading(const core::Settings& settings, core::Data& data, double budget) {
  const std::int64_t batch = std::min(settings.train.batch, data.train().count()), batches = data.train().count() / batch;
  const core::Buffer input(core::tensor_bytes(core::batch_of(data.sample(), batch))), labels(core::label_bytes(data, batch));
  nnrun_tensor tensor = core::batch_of(data.sample(), batch);
  tensor.data = input.data();
  std::vector<std::uint32_t> order;
  std::int64_t step = 0;
  return median_seconds(budget, [&] {
    if (step % batches == 0) core::shuffle(order, data.train().count(), settings.seed, NNRUN_STREAM_ORDER, step / batches);
    const auto positions = std::span(order).subspan(static_cast<std::size_t>(step % batches * batch), static_cast<std::size_t>(batch));
    data.load(data.train(), positions, step / batches, true, tensor, labels.data());
    ++step;
  });
}

struct LayerFigures {
  std::string name;
  double forward_ms, backward_ms, gflops;
};

// Medians over many steps.
std::vector<LayerFigures> measure_layers(Steps& steps, double budget) {
  core::Network& network = steps.network();
  const auto& layers = network.plan().layers;
  std::vector<std::vector<double>> forward(layers.size()), backward(layers.size());
  core::LayerTimes times;
  network.measure(&times);
  for (const auto start = Clock::now(); forward[0].size() < 5 || seconds_since(start) < budget;) {
    times.forward.assign(layers.size(), 0);
    times.backward.assign(layers.size(), 0);
    steps.next();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      forward[i].push_back(times.forward[i]);
      backward[i].push_back(times.backward[i]);
    }
  }
  network.measure(nullptr);
  std::vector<LayerFigures> figures;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const double forward_seconds = median(std::move(forward[i])), backward_seconds = median(std::move(backward[i]));
    const double flops = layers[i].forward_flops + (layers[i].runs_backward ? layers[i].backward_flops : 0);
    std::string name = layers[i].name;
    for (const core::ComponentSpec* absorbed : layers[i].absorbed) name += std::string(" + ") + absorbed->component->name;
    figures.push_back(
        {name, forward_seconds * 1e3, backward_seconds * 1e3, flops / std::max(forward_seconds + backward_seconds, 1e-12) * 1e-9});
  }
  return figures;
}

struct InferenceFigures {
  std::int64_t batch;
  double seconds;
  double gflops;
  double weight_bandwidth;  // GB/s at which the weights go by
};

InferenceFigures measure_inference(const core::Environment& environment, core::Data& data,
                                   const std::shared_ptr<core::Parameters>& parameters, std::int64_t batch, double budget) {
  const core::Settings& settings = environment.settings();
  core::Network network(settings.model, environment.host(), core::batch_of(data.sample(), batch), false, settings.seed, parameters,
                        {.fold = true});
  core::Buffer labels(core::label_bytes(data, batch));
  std::vector<std::uint32_t> positions(static_cast<std::size_t>(batch));
  for (std::size_t i = 0; i < positions.size(); ++i)
    positions[i] = static_cast<std::uint32_t>(i % static_cast<std::size_t>(data.test().count()));
  // In parts, since data loads no more at once than an evaluation does.
  const std::size_t row_bytes = core::tensor_bytes(data.sample());
  const std::int64_t largest = core::evaluation_batch(data.sample());
  for (std::int64_t begin = 0; begin < batch; begin += largest) {
    nnrun_tensor part = network.input();
    part.data = static_cast<std::byte*>(part.data) + static_cast<std::size_t>(begin) * row_bytes;
    const auto count = static_cast<std::size_t>(std::min(largest, batch - begin));
    data.load(data.test(), std::span(positions).subspan(static_cast<std::size_t>(begin), count), 0, false, part, labels.data());
  }
  double flops = 0;
  for (const core::PlannedLayer& layer : network.plan().layers) flops += layer.forward_flops;
  const double seconds = median_seconds(budget, [&] { network.forward(0); });
  const double weight_bytes = static_cast<double>(parameters->weight_count()) * sizeof(float);
  return {batch, seconds, flops / seconds * 1e-9, weight_bytes / seconds * 1e-9};
}

std::string fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace

namespace {

// A checkpoint's inference alone: what was made by a quantizer cannot train.
int bench_checkpoint(const Options& options) {
  const core::Predictor predictor(options.subject, environment_options(options), options.words);
  const core::Environment& environment = predictor.environment();
  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  const int threads = static_cast<int>(environment.host().threads());
  nlohmann::ordered_json json{{"model", options.subject}, {"threads", threads}};
  std::vector<std::vector<std::string>> rows{{"inference", "samples/s", "us", "operations/s"}};
  for (const std::int64_t batch : {1, 16, 64}) {
    const InferenceFigures f = measure_inference(environment, data, predictor.parameters(), batch, options.seconds);
    const double rate = static_cast<double>(f.batch) / f.seconds;
    json["inference"].push_back({{"batch", f.batch}, {"samples_per_s", rate}, {"ms", f.seconds * 1e3}, {"gigaoperations_per_s", f.gflops}});
    rows.push_back({"batch " + std::to_string(f.batch), with_commas(static_cast<std::int64_t>(rate)), fixed(f.seconds * 1e6, 2),
                    fixed(f.gflops, 1) + " G"});
  }
  if (options.json) {
    std::cout << json.dump(2) << "\n";
  } else {
    std::cout << options.subject << ", " << threads << (threads == 1 ? " thread" : " threads") << "\n\n" << table(rows, 1);
  }
  return 0;
}

}  // namespace

int bench(const Options& options) {
  if (!options.tune.empty()) return tune(options);
  if (options.subject.ends_with(".safetensors")) return bench_checkpoint(options);
  const core::Environment environment(core::load_config(options.subject, options.words), environment_options(options));
  const core::Settings& settings = environment.settings();
  core::Data data(settings, environment.host(), core::find_data_root(options.data));

  Steps steps(environment, data);
  const auto weight_bytes = static_cast<std::size_t>(steps.network().parameters()->weight_count()) * sizeof(float);
  const Peaks peaks = measure_peaks(environment.host(), weight_bytes, options.seconds / 4);
  const double step_seconds = median_seconds(options.seconds, [&] { steps.next(); });
  const double loading_seconds = measure_loading(settings, data, options.seconds / 4);
  const std::vector<LayerFigures> layers = measure_layers(steps, options.seconds);
  std::vector<InferenceFigures> inference;
  for (const std::int64_t batch : std::set<std::int64_t>{1, 16, 64, settings.train.batch}) {
    inference.push_back(measure_inference(environment, data, steps.network().parameters(), batch, options.seconds / 2));
  }
  const double batch = static_cast<double>(std::min(settings.train.batch, data.train().count()));

  if (options.json) {
    nlohmann::ordered_json json{{"config", options.subject},
                                {"threads", environment.host().threads()},
                                {"precision", environment.settings().run.kernels.bf16 ? "bf16" : "f32"},
                                {"peak", {{"gflops", peaks.gflops}, {"read_gb_per_s", peaks.read_gb_per_s}}},
                                {"train",
                                 {{"batch", settings.train.batch},
                                  {"samples_per_s", batch / step_seconds},
                                  {"step_ms", step_seconds * 1e3},
                                  {"loading_ms", loading_seconds * 1e3}}}};
    for (const InferenceFigures& f : inference) {
      json["inference"].push_back({{"batch", f.batch},
                                   {"samples_per_s", static_cast<double>(f.batch) / f.seconds},
                                   {"ms", f.seconds * 1e3},
                                   {"gflops", f.gflops},
                                   {"share_of_peak", f.gflops / peaks.gflops},
                                   {"weights_gb_per_s", f.weight_bandwidth},
                                   {"share_of_read_bandwidth", f.weight_bandwidth / peaks.read_gb_per_s}});
    }
    for (const LayerFigures& f : layers) {
      json["layers"].push_back({{"name", f.name},
                                {"forward_ms", f.forward_ms},
                                {"backward_ms", f.backward_ms},
                                {"gflops", f.gflops},
                                {"share_of_peak", f.gflops / peaks.gflops}});
    }
    std::cout << json.dump(2) << "\n";
    return 0;
  }

  std::cout << options.subject << ", " << environment.host().threads() << (environment.host().threads() == 1 ? " thread" : " threads")
            << ", f32; this machine now: " << fixed(peaks.gflops, 0) << " GFLOP/s of FMA, " << fixed(peaks.read_gb_per_s, 0)
            << " GB/s read from a buffer as large as the weights\n\n";
  std::vector<std::vector<std::string>> rows{{"layer", "forward us", "backward us", "GFLOP/s", "of peak"}};
  double in_layers = 0;
  for (const LayerFigures& f : layers) {
    in_layers += f.forward_ms + f.backward_ms;
    rows.push_back({f.name, fixed(f.forward_ms * 1e3, 1), fixed(f.backward_ms * 1e3, 1), f.gflops > 0 ? fixed(f.gflops, 1) : "",
                    f.gflops > 0 ? fixed(100 * f.gflops / peaks.gflops, 1) + " %" : ""});
  }
  std::cout << table(rows, 1) << "\n(backward includes the optimizer's step)\n\ntraining, batch " << settings.train.batch << ": "
            << with_commas(static_cast<std::int64_t>(batch / step_seconds)) << " samples/s, " << fixed(step_seconds * 1e3, 3)
            << " ms a step (" << fixed(in_layers, 3)
            << " ms in layers; the rest loads data and computes the loss)\nloading a batch alone: " << fixed(loading_seconds * 1e3, 3)
            << " ms, " << fixed(100 * loading_seconds / std::max(step_seconds, 1e-12), 1) << " % of a step\n";
  rows = {{"inference", "samples/s", "us", "GFLOP/s", "of peak", "weights GB/s", "of read bandwidth"}};
  for (const InferenceFigures& f : inference) {
    rows.push_back({"batch " + std::to_string(f.batch), with_commas(static_cast<std::int64_t>(static_cast<double>(f.batch) / f.seconds)),
                    fixed(f.seconds * 1e6, 1), fixed(f.gflops, 1), fixed(100 * f.gflops / peaks.gflops, 1) + " %",
                    fixed(f.weight_bandwidth, 1), fixed(100 * f.weight_bandwidth / peaks.read_gb_per_s, 1) + " %"});
  }
  std::cout << "\n" << table(rows, 1);
  return 0;
}

}  // namespace nnrun::tool
