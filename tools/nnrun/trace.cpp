#include "inspection/trace.hpp"

#include "arrays.hpp"
#include "base/error.hpp"
#include "commands.hpp"
#include "net/tensor_statistics.hpp"
#include "net_input.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace nnrun::tool {

namespace {

using core::TracedTensor;
using Arrays = std::map<std::string, Array>;

std::string number(double value, const char* form = "%.4g") {
  char text[32];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

std::string index_text(const std::vector<std::int64_t>& index) {
  std::string text;
  for (const std::int64_t i : index) text += (text.empty() ? "" : ", ") + std::to_string(i);
  return "[" + text + "]";
}

// What a tensor is compared with.
struct Reference {
  std::string name;  // "the scalar kernels", or the file
  Arrays arrays;
};

// Weights and states that the file has under their names go into the net, out of the file's arrays.
std::size_t take_parameters(Arrays& arrays, core::Parameters& parameters, const std::string& file) {
  std::size_t taken = 0;
  const auto take = [&](const core::Slot& slot, float* to) {
    const auto found = arrays.find(slot.name);
    if (found == arrays.end()) return;
    if (found->second.shape != slot.shape) {
      throw core::RunError(file + ": '" + slot.name + "' has the shape " + to_string(found->second.shape) + ", the net has " +
                           to_string(slot.shape));
    }
    if (slot.dtype != NNRUN_F32)
      throw core::RunError(file + ": '" + slot.name + "' is of whole numbers in the net, which trace does not take from files");
    std::ranges::copy(found->second.values, to);
    arrays.erase(found);
    ++taken;
  };
  for (std::size_t i = 0; i < parameters.weight_slots().size(); ++i) take(parameters.weight_slots()[i], parameters.weight(i));
  for (std::size_t i = 0; i < parameters.state_slots().size(); ++i) take(parameters.state_slots()[i], parameters.state(i));
  return taken;
}

void require_known(const Reference& reference, const core::Trace& trace) {
  std::vector<std::string> names;
  for (const TracedTensor& tensor : trace.tensors) names.push_back(tensor.name);
  for (const auto& [name, array] : reference.arrays) {
    const auto tensor = std::ranges::find(trace.tensors, name, &TracedTensor::name);
    if (tensor == trace.tensors.end()) {
      const std::string suggestion = core::did_you_mean(name, names);
      throw core::RunError(reference.name + " has '" + name + "', which is no tensor of this trace; " +
                           (suggestion.empty() ? "nnrun trace without --against prints their names" : suggestion));
    }
    if (array.shape != tensor->shape) {
      throw core::RunError(reference.name + ": '" + name + "' has the shape " + to_string(array.shape) + ", the net's has " +
                           to_string(tensor->shape));
    }
  }
}

Arrays arrays_of(core::Trace trace) {
  Arrays arrays;
  for (TracedTensor& tensor : trace.tensors) arrays[tensor.name] = {tensor.shape, std::move(tensor.values)};
  return arrays;
}

void save(const std::string& file, const core::Trace& trace, const core::Parameters& parameters) {
  std::vector<NamedArray> arrays;
  for (const TracedTensor& tensor : trace.tensors) arrays.push_back({tensor.name, tensor.shape, tensor.values});
  const auto add = [&](const core::Slot& slot, const float* data) {
    if (slot.dtype == NNRUN_F32) arrays.push_back({slot.name, slot.shape, {data, static_cast<std::size_t>(slot.count)}});
  };
  for (std::size_t i = 0; i < parameters.weight_slots().size(); ++i) add(parameters.weight_slots()[i], parameters.weight(i));
  for (std::size_t i = 0; i < parameters.state_slots().size(); ++i) add(parameters.state_slots()[i], parameters.state(i));
  write_npz(file, arrays);
}

struct Comparison {
  std::map<std::string, double> largest;  // of each tensor that was compared, relative
  std::optional<core::Difference> first;
  std::size_t different = 0;  // tensors
};

Comparison compare(const core::Trace& trace, const Reference& reference, double tolerance) {
  Comparison result;
  for (const TracedTensor& tensor : trace.tensors) {
    const auto other = reference.arrays.find(tensor.name);
    if (other == reference.arrays.end()) continue;
    const auto difference = core::compare_tensors(tensor, other->second.values, tolerance, &result.largest[tensor.name]);
    if (!difference) continue;
    ++result.different;
    if (!result.first) result.first = difference;
  }
  return result;
}

std::vector<std::string> row_of(const TracedTensor& tensor, const Comparison* comparison, double tolerance) {
  const core::TensorStatistics s = core::statistics_of(tensor.values);
  std::string first;
  for (std::size_t i = 0; i < std::min<std::size_t>(tensor.values.size(), 4); ++i) {
    first += (i == 0 ? "" : " ") + number(static_cast<double>(tensor.values[i]));
  }
  if (tensor.values.size() > 4) first += " ...";
  const double share = 100 * static_cast<double>(s.zeros) / static_cast<double>(std::max<std::size_t>(s.count, 1));
  std::vector<std::string> row{tensor.name,    to_string(tensor.shape), first, number(s.min), number(s.max),
                               number(s.mean), number(share, "%.0f %%")};
  if (s.nans + s.infinities > 0) row[2] = std::to_string(s.nans) + " NaN, " + std::to_string(s.infinities) + " infinite: " + row[2];
  if (comparison != nullptr) {
    const auto largest = comparison->largest.find(tensor.name);
    if (largest == comparison->largest.end()) {
      row.emplace_back("");
    } else {
      row.push_back(largest->second == 0 ? "equal" : number(largest->second, "%.1e") + (largest->second > tolerance ? " <--" : ""));
    }
  }
  return row;
}

void print(const Options& options, const NetInput& input, const core::Trace& trace, const Reference* reference,
           const Comparison* comparison) {
  std::cout << options.subject << ": " << input.text << " through the net" << (options.inference ? ", as in prediction" : "");
  if (trace.loss) std::cout << "; loss " << number(*trace.loss, "%.6g");
  std::cout << "\n";
  for (const bool backward : {false, true}) {
    std::vector<std::vector<std::string>> rows{{backward ? "backward" : "forward", "shape", "first values", "min", "max", "mean", "zeros"}};
    if (comparison != nullptr) rows[0].emplace_back("difference");
    for (const TracedTensor& tensor : trace.tensors) {
      if (tensor.backward == backward) rows.push_back(row_of(tensor, comparison, options.tolerance));
    }
    if (rows.size() == 1) continue;
    if (backward) std::cout << "\nbackward from " << (trace.loss ? "the loss" : "ones: the gradient of the outputs' sum");
    std::cout << "\n" << table(rows, 3);
  }
  if (comparison == nullptr) return;
  std::cout << "\nagainst " << reference->name << ", " << comparison->largest.size() << " tensors: ";
  const std::string bound = number(options.tolerance) + " of (its size + the tensor's mean size)";
  if (comparison->first) {
    const core::Difference& d = *comparison->first;
    std::cout << comparison->different << " differ by more than " << bound << "\nfirst difference: " << d.tensor << " "
              << index_text(d.index) << " is " << number(d.value, "%.9g") << ", expected " << number(d.reference, "%.9g") << "; "
              << with_commas(static_cast<std::int64_t>(d.count)) << " numbers of this tensor differ\n";
  } else {
    std::cout << "no difference above " << bound << "\n";
  }
}

void print_json(const Options& options, const NetInput& input, const core::Trace& trace, const Reference* reference,
                const Comparison* comparison) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const TracedTensor& tensor : trace.tensors) {
    const core::TensorStatistics s = core::statistics_of(tensor.values);
    nlohmann::ordered_json json{{"name", tensor.name}, {"shape", tensor.shape}, {"min", s.min},
                                {"max", s.max},        {"mean", s.mean},        {"standard_deviation", s.standard_deviation},
                                {"zeros", s.zeros},    {"nans", s.nans},        {"infinities", s.infinities}};
    if (comparison != nullptr && comparison->largest.contains(tensor.name)) json["difference"] = comparison->largest.at(tensor.name);
    tensors.push_back(std::move(json));
  }
  nlohmann::ordered_json json{{"subject", options.subject}, {"input", input.text}, {"tensors", tensors}};
  if (trace.loss) json["loss"] = *trace.loss;
  if (comparison != nullptr) {
    json["against"] = reference->name;
    json["tolerance"] = options.tolerance;
    if (comparison->first) {
      const core::Difference& d = *comparison->first;
      json["first_difference"] = {
          {"tensor", d.tensor}, {"index", d.index}, {"value", d.value}, {"expected", d.reference}, {"count", d.count}};
    }
  }
  std::cout << json.dump(2) << "\n";
}

}  // namespace

int trace(const Options& options) {
  const Subject subject(options);
  const auto environment = subject.environment();
  const bool against_scalar = options.against == "scalar";
  Reference reference{options.against, {}};
  if (!options.against.empty() && !against_scalar) reference.arrays = read_npz(options.against);
  const auto given = reference.arrays.find("input");
  NetInput input = make_net_input(options, subject, *environment, given != reference.arrays.end() ? &given->second : nullptr);

  const core::TraceOptions how{options.fused, options.inference};
  core::Tracer tracer(*environment, input.sample, input.batch, how);
  if (subject.checkpoint()) subject.checkpoint()->restore(*tracer.parameters(), false);
  const std::size_t taken = take_parameters(reference.arrays, *tracer.parameters(), options.against);
  const auto run = [&](core::Tracer& with, const core::Environment& on) {
    if (input.labels.empty() || !on.settings().train.loss) return with.run(input.values, nullptr, nullptr);
    core::LossFunction loss(*on.settings().train.loss, on.host(), with.output(), input.classes, input.targets);
    const nnrun_tensor labels = input.label_tensor();
    return with.run(input.values, &loss, &labels);
  };
  const std::vector<float> parameters = tracer.parameters()->copy();
  const core::Trace result = run(tracer, *environment);
  tracer.parameters()->restore(parameters);  // layers may have changed their states
  if (!options.save.empty()) save(options.save, result, *tracer.parameters());

  std::optional<Comparison> comparison;
  if (against_scalar) {
    const auto scalar = subject.environment({"run.kernels=scalar"});
    core::Tracer other(*scalar, input.sample, input.batch, how, tracer.parameters());
    reference = {"the scalar kernels", arrays_of(run(other, *scalar))};
  } else if (!options.against.empty()) {
    require_known(reference, result);
    if (taken > 0) input.text += ", with " + std::to_string(taken) + " weights of " + options.against;
  }
  if (!options.against.empty()) comparison = compare(result, reference, options.tolerance);

  const Comparison* found = comparison ? &*comparison : nullptr;
  if (options.json) {
    print_json(options, input, result, &reference, found);
  } else {
    print(options, input, result, &reference, found);
  }
  return comparison && comparison->first ? 1 : 0;
}

}  // namespace nnrun::tool
