#include "inspection/trace.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cmath>

namespace nnrun::core {

namespace {

template <class T>
std::vector<float> copy_as(const nnrun_tensor& tensor) {
  const std::span<T> numbers = Tensor(tensor).span<T>();
  return {numbers.begin(), numbers.end()};
}

// Whole numbers become floats; those of s32 may lose their last bits.
std::vector<float> copy_of(const nnrun_tensor& tensor) {
  switch (tensor.dtype) {
    case NNRUN_S32: return copy_as<std::int32_t>(tensor);
    case NNRUN_S8: return copy_as<std::int8_t>(tensor);
    case NNRUN_U8: return copy_as<std::uint8_t>(tensor);
    default: return copy_as<float>(tensor);
  }
}

double mean_size(std::span<const float> numbers) {
  double sum = 0;
  for (const float number : numbers) sum += std::abs(static_cast<double>(number));
  return sum / static_cast<double>(std::max<std::size_t>(numbers.size(), 1));
}

// Of the last layer whose work it does.
std::string output_name(const PlannedLayer& layer) {
  if (layer.absorbed.empty()) return layer.name;
  const ComponentSpec& last = *layer.absorbed.back();
  return last.label.empty() ? std::to_string(layer.index + layer.absorbed.size()) + "." + last.component->name : last.label;
}

class Recorder : public LayerWatcher {
 public:
  Recorder(Network& network, Trace& trace) : network_(network), trace_(trace) { network_.watch(this); }
  ~Recorder() override { network_.watch(nullptr); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add(std::string name, bool backward, const nnrun_tensor& tensor) {
    trace_.tensors.push_back({std::move(name), backward, 0, Tensor(tensor).shape(), copy_of(tensor)});
  }
  void forward_done(std::size_t index) override {
    const PlannedLayer& layer = network_.plan().layers[index];
    add(output_name(layer) + ".output", false, network_.value(layer.output));
  }
  void backward_starts(std::size_t index) override {
    const PlannedLayer& layer = network_.plan().layers[index];
    add(output_name(layer) + ".output_gradient", true, network_.gradient(layer.output));
    terms_ = 0.1 * mean_size(Tensor(network_.gradient(layer.output)).span());
  }
  void backward_done(std::size_t index) override {
    const PlannedLayer& layer = network_.plan().layers[index];
    for (std::size_t k = 0; k < layer.weights.size(); ++k) {
      const Slot& slot = layer.weights[k].slot;
      add(slot.name + ".gradient", true,
          make_tensor(NNRUN_F32, slot.shape, network_.parameters()->gradient(network_.first_weight(index) + k)));
      trace_.tensors.back().terms = terms_;
    }
  }

 private:
  Network& network_;
  Trace& trace_;
  double terms_ = 0;
};

bool has_backward(const ModelSettings& model) {
  return std::ranges::all_of(model.layers, [](const ComponentSpec& spec) {
    return static_cast<const nnrun_layer_vtable*>(spec.component->vtable)->backward != nullptr;
  });
}

}  // namespace

Tracer::Tracer(const Environment& environment, const nnrun_tensor& sample, std::int64_t batch, const TraceOptions& options,
               std::shared_ptr<Parameters> parameters)
    : backward_(!options.inference && has_backward(environment.settings().model)),
      network_(environment.settings().model, environment.host(), batch_of(sample, batch), backward_, environment.settings().seed,
               parameters, {options.fused, true}) {
  if (parameters != nullptr) return;
  if (backward_) network_.parameters()->add_training_memory({});
  network_.initialize_parameters();
}

Trace Tracer::run(std::span<const float> input, LossFunction* loss, const nnrun_tensor* labels) {
  Trace trace;
  Recorder recorder(network_, trace);
  std::ranges::copy(input, Tensor(network_.input()).data());
  recorder.add("input", false, network_.input());
  network_.forward(0);
  const nnrun_tensor& output = network_.output();
  const nnrun_tensor* gradient = backward_ ? &network_.output_gradient() : nullptr;
  if (loss != nullptr) {
    trace.loss = loss->run(output, *labels, gradient) / static_cast<double>(output.dim[0]);
  } else if (backward_) {
    std::ranges::fill(Tensor(*gradient).span(), 1.0f);
  }
  if (backward_) network_.backward(0, nullptr);
  return trace;
}

std::optional<Difference> compare_tensors(const TracedTensor& tensor, std::span<const float> reference, double tolerance, double* largest) {
  const double size = mean_size(reference) + tensor.terms;
  std::optional<Difference> first;
  if (largest != nullptr) *largest = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double value = static_cast<double>(tensor.values[i]), expected = static_cast<double>(reference[i]);
    if (value == expected || (std::isnan(value) && std::isnan(expected))) continue;
    const double share = std::abs(value - expected) / (std::abs(expected) + size);
    if (largest != nullptr) *largest = std::isnan(share) ? HUGE_VAL : std::max(*largest, share);
    if (share <= tolerance) continue;  // false for NaN
    if (!first) {
      first = Difference{tensor.name, {}, value, expected, 0};
      std::size_t rest = i;
      for (std::size_t k = tensor.shape.size(); k-- > 0;) {
        const auto dim = static_cast<std::size_t>(tensor.shape[k]);
        first->index.insert(first->index.begin(), static_cast<std::int64_t>(rest % dim));
        rest /= dim;
      }
    }
    ++first->count;
  }
  return first;
}

}  // namespace nnrun::core
