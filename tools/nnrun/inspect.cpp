#include "arrays.hpp"
#include "base/error.hpp"
#include "commands.hpp"
#include "config/diagnostic.hpp"
#include "inspection/trace.hpp"
#include "net/safetensors.hpp"
#include "net/tensor_statistics.hpp"
#include "net_input.hpp"
#include "pictures.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

namespace {

struct Inspected {
  std::string name;
  Shape shape;
  std::vector<float> values;
  bool activation = false;
};

std::string number(double value, const char* form = "%.4g") {
  char text[32];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

std::vector<Inspected> weights_of(const std::string& file) {
  std::vector<Inspected> all;
  const core::SafetensorsFile model(file);
  for (const core::NamedTensor& tensor : model.tensors()) {
    if (tensor.name.starts_with("optimizer.")) continue;
    all.push_back({tensor.name, tensor.shape, tensor.as_floats(), false});
  }
  return all;
}

// What each layer makes of the input, forward alone.
std::vector<Inspected> activations_of(const Options& options) {
  const Subject subject(options);
  if (!subject.checkpoint()) throw core::RunError("inspect takes a checkpoint (.safetensors), got " + options.subject);
  const auto environment = subject.environment();
  const NetInput input = make_net_input(options, subject, *environment, nullptr);
  core::Tracer tracer(*environment, input.sample, input.batch, {false, true});
  subject.checkpoint()->restore(*tracer.parameters(), false);
  std::vector<Inspected> all;
  for (core::TracedTensor& tensor : tracer.run(input.values, nullptr, nullptr).tensors) {
    all.push_back({tensor.name, tensor.shape, std::move(tensor.values), true});
  }
  return all;
}

std::string layer_of(const std::string& tensor) {
  const std::size_t dot = tensor.rfind('.');
  return dot == std::string::npos ? tensor : tensor.substr(0, dot);
}

// Those of one layer, or one tensor; all where `which` is "".
void keep(std::vector<Inspected>& all, const std::string& which) {
  if (which.empty()) return;
  std::vector<std::string> names;
  for (const Inspected& tensor : all) {
    for (const std::string& name : {layer_of(tensor.name), tensor.name}) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  std::erase_if(all, [&](const Inspected& tensor) { return tensor.name != which && layer_of(tensor.name) != which; });
  if (!all.empty()) return;
  std::string message = "there is no layer or tensor " + core::quote(which);
  const std::string suggestion = core::did_you_mean(which, names);
  if (!suggestion.empty()) throw core::RunError(message + "; " + suggestion);
  message += "; there are:";
  for (const std::string& name : names) message += " " + name;
  throw core::RunError(message);
}

std::string small_histogram(std::span<const float> values) {
  constexpr std::array bars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::vector<std::size_t> counts = core::histogram_of(values, 16);
  const std::size_t most = *std::ranges::max_element(counts);
  std::string text;
  for (const std::size_t count : counts) text += bars[count == 0 ? 0 : 1 + count * 7 / std::max<std::size_t>(most, 1)];
  return text;
}

void print_histogram(std::span<const float> values, const core::TensorStatistics& s) {
  constexpr std::size_t bins = 20, width = 50;
  const std::vector<std::size_t> counts = core::histogram_of(values, bins);
  const std::size_t most = std::max<std::size_t>(*std::ranges::max_element(counts), 1);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < bins; ++i) {
    const double low = s.min + (s.max - s.min) * static_cast<double>(i) / static_cast<double>(bins);
    const std::size_t length = counts[i] == 0 ? 0 : std::max<std::size_t>(1, counts[i] * width / most);
    rows.push_back({"  from " + number(low, "%+.4g"), std::string(length, '#'), with_commas(static_cast<std::int64_t>(counts[i]))});
  }
  std::cout << table(rows, 2);
}

void print(const Options& options, const std::vector<Inspected>& all) {
  std::cout << options.subject
            << (all[0].activation ? ": activations for " + (options.input.empty() ? "a training sample" : options.input) : "") << "\n\n";
  std::vector<std::vector<std::string>> rows{{"tensor", "shape", "min", "max", "mean", "deviation", "zeros", "NaN", "infinite"}};
  std::vector<std::string> histograms{"histogram"};
  for (const Inspected& tensor : all) {
    const core::TensorStatistics s = core::statistics_of(tensor.values);
    const double share = 100 * static_cast<double>(s.zeros) / static_cast<double>(std::max<std::size_t>(s.count, 1));
    rows.push_back({tensor.name, to_string(tensor.shape), number(s.min), number(s.max), number(s.mean), number(s.standard_deviation),
                    number(share, "%.0f %%"), std::to_string(s.nans), std::to_string(s.infinities)});
    histograms.push_back(small_histogram(tensor.values));
  }
  // The histogram's characters have several bytes each, which a table would count.
  std::string text = table(rows, 2);
  std::size_t at = 0;
  for (const std::string& histogram : histograms) {
    const std::size_t end = text.find('\n', at);
    std::cout << text.substr(at, end - at) << "  " << histogram << "\n";
    at = end + 1;
  }
  if (options.words.empty()) return;
  for (const Inspected& tensor : all) {
    std::cout << "\n" << tensor.name << ", " << with_commas(static_cast<std::int64_t>(tensor.values.size())) << " numbers\n";
    print_histogram(tensor.values, core::statistics_of(tensor.values));
  }
}

void print_json(const Options& options, const std::vector<Inspected>& all) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const Inspected& tensor : all) {
    const core::TensorStatistics s = core::statistics_of(tensor.values);
    tensors.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"count", s.count},
                       {"min", s.min},
                       {"max", s.max},
                       {"mean", s.mean},
                       {"standard_deviation", s.standard_deviation},
                       {"zeros", s.zeros},
                       {"nans", s.nans},
                       {"infinities", s.infinities},
                       {"histogram", core::histogram_of(tensor.values, 20)}});
  }
  std::cout << nlohmann::ordered_json{{"model", options.subject}, {"tensors", tensors}}.dump(2) << "\n";
}

void draw(const Options& options, const std::vector<Inspected>& all) {
  for (const Inspected& tensor : all) {
    const PictureGrid grid = tensor.activation ? activation_grid(tensor.shape, tensor.values) : filter_grid(tensor.shape, tensor.values);
    if (grid.pixels.empty()) continue;
    write_png(options.picture, grid);
    std::fprintf(stderr, "nnrun: %s: %s, %d x %d pixels\n", options.picture.c_str(), tensor.name.c_str(), grid.width, grid.height);
    return;
  }
  throw core::RunError(
      "nothing here is a picture: weights of two or more dimensions and activations are; name the layer, eg: nnrun inspect " +
      options.subject + " " + layer_of(all[0].name) + " --picture " + options.picture);
}

}  // namespace

int inspect(const Options& options) {
  if (options.words.size() > 1) throw core::RunError("inspect takes one layer or tensor, got " + options.words[1] + " besides");
  std::vector<Inspected> all;
  if (options.input.empty()) {
    all = weights_of(options.subject);
  } else {
    Options plain = options;
    plain.words.clear();  // they are overrides elsewhere
    all = activations_of(plain);
  }
  keep(all, options.words.empty() ? "" : options.words[0]);
  if (all.empty()) throw core::RunError(options.subject + " has no weights");
  if (!options.npy.empty()) {
    std::error_code failure;
    std::filesystem::create_directories(options.npy, failure);
    if (failure) throw core::RunError("cannot make the folder " + options.npy + ": " + failure.message());
    for (const Inspected& tensor : all) write_npy(std::filesystem::path(options.npy) / (tensor.name + ".npy"), tensor.shape, tensor.values);
  }
  if (!options.picture.empty()) draw(options, all);
  if (options.json) {
    print_json(options, all);
  } else {
    print(options, all);
  }
  return 0;
}

}  // namespace nnrun::tool
