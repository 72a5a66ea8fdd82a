#include "training/run_details.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>

namespace nnrun::core {

namespace {

constexpr std::size_t most_mistakes = 24;
constexpr std::int64_t largest_weights = 1 << 20, largest_sample = 1 << 19;  // elements; more is no picture

double element(const nnrun_tensor& tensor, std::int64_t index) {
  switch (tensor.dtype) {
    case NNRUN_U8: return static_cast<const std::uint8_t*>(tensor.data)[index];
    case NNRUN_S8: return static_cast<const std::int8_t*>(tensor.data)[index];
    case NNRUN_S32: return static_cast<const std::int32_t*>(tensor.data)[index];
    case NNRUN_F32: return static_cast<double>(static_cast<const float*>(tensor.data)[index]);
    default: return 0;
  }
}

}  // namespace

RunDetails::RunDetails(const Environment& environment, const Data& data, const Network& network, const Parameters& tested,
                       const LayerTimes& times, std::int64_t steps, Predictions predictions)
    : predictions_(std::move(predictions)) {
  texts_.emplace_back("version", NNRUN_VERSION);
  numbers_.emplace_back("threads", environment.host().threads());
  for (const std::string& kernel : environment.host().kernels()) texts_.emplace_back("kernel", kernel);
  for (const std::string& name : data.class_names()) texts_.emplace_back("class_name", name);
  if (data.classes() > 0) find_mistakes(data);
  copy_weights(tested);
  add_shape("input_shape", data.sample());

  Table seconds{"layer_seconds", {}, 2};
  for (std::size_t i = 0; i < network.plan().layers.size() && steps > 0; ++i) {
    const PlannedLayer& layer = network.plan().layers[i];
    std::string name = layer.name;
    for (const ComponentSpec* absorbed : layer.absorbed) name += std::string(" + ") + absorbed->component->name;
    texts_.emplace_back("layer", name);
    seconds.numbers.push_back(times.forward[i] / static_cast<double>(steps));
    seconds.numbers.push_back(times.backward[i] / static_cast<double>(steps));
  }
  tables_.push_back(std::move(seconds));
}

void RunDetails::add_shape(const char* name, const nnrun_tensor& tensor) {
  tables_.push_back({name, std::vector<double>(tensor.dim, tensor.dim + tensor.rank), tensor.rank});
}

void RunDetails::find_mistakes(const Data& data) {
  struct Mistake {
    std::uint32_t sample;
    double probability;
  };
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i < predictions_.labels.size(); ++i) {
    const auto row = predictions_.probabilities.begin() + static_cast<std::ptrdiff_t>(i) * predictions_.columns;
    const auto best = std::max_element(row, row + predictions_.columns);
    if (static_cast<double>(best - row) != predictions_.labels[i]) mistakes.push_back({static_cast<std::uint32_t>(i), *best});
  }
  std::ranges::stable_sort(mistakes, [](const Mistake& a, const Mistake& b) { return a.probability > b.probability; });
  mistakes.resize(std::min(mistakes.size(), most_mistakes));

  const std::int64_t elements = Tensor(data.raw_sample()).count();
  Table samples{"mistake_samples", {}, elements}, numbers{"mistakes", {}, 1};
  std::vector<std::byte> memory(tensor_bytes(data.raw_sample())), label(label_bytes(data, 1));
  nnrun_tensor sample = data.raw_sample();
  sample.data = memory.data();
  for (const Mistake& mistake : mistakes) {
    numbers.numbers.push_back(mistake.sample);
    if (elements > largest_sample) continue;
    data.read_raw(data.test(), mistake.sample, sample, label.data());
    for (std::int64_t k = 0; k < elements; ++k) samples.numbers.push_back(element(sample, k));
  }
  tables_.push_back(std::move(numbers));
  tables_.push_back(std::move(samples));
  add_shape("sample_shape", data.raw_sample());
  numbers_.emplace_back("sample_bytes", data.raw_sample().dtype == NNRUN_U8 ? 1 : 0);
}

void RunDetails::copy_weights(const Parameters& parameters) {
  for (std::size_t i = 0; i < parameters.weight_slots().size(); ++i) {
    const Slot& slot = parameters.weight_slots()[i];
    if (slot.shape.size() < 2) continue;
    if (slot.count > largest_weights) return;
    texts_.emplace_back("weights_name", slot.name);
    tables_.push_back({"weights_shape", {slot.shape.begin(), slot.shape.end()}, static_cast<std::int64_t>(slot.shape.size())});
    tables_.push_back({"weights", {parameters.weight(i), parameters.weight(i) + slot.count}, slot.count / slot.shape[0]});
    return;
  }
}

void RunDetails::tell(Observers& observers) const {
  std::vector<nnrun_field> fields;
  for (const auto& [name, text] : texts_) fields.push_back(field(name, text.c_str()));
  for (const auto& [name, number] : numbers_) fields.push_back(field(name, number));
  const auto add = [&](const char* name, const std::vector<double>& numbers, std::int64_t columns) {
    if (numbers.empty()) return;
    fields.push_back({name, nullptr, 0, numbers.data(), static_cast<std::int64_t>(numbers.size()) / columns, columns});
  };
  for (const Table& table : tables_) add(table.name, table.numbers, table.columns);
  add("probabilities", predictions_.probabilities, predictions_.columns);
  add("labels", predictions_.labels, predictions_.labels.size() == predictions_.probabilities.size() ? predictions_.columns : 1);
  observers.tell("details", fields);
}

}  // namespace nnrun::core
