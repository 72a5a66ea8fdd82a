#include "net.hpp"

#include "../common/layer_view.hpp"
#include "../layers/windows.hpp"

#include <algorithm>

namespace nnrun::exporters {

namespace {

// One sample of a batch.
Tensor sample(const nnrun_tensor& batch) {
  nnrun_tensor one = batch;
  one.dim[0] = 1;
  return Tensor(one);
}

Place place_of(const nnrun_tensor& batch) { return {Place::Where::arena, 0, sample(batch).count(), static_cast<nnrun_dtype>(batch.dtype)}; }

template <class T>
std::vector<T> numbers(const nnrun_tensor& tensor) {
  const auto span = Tensor(tensor).span<const T>();
  return {span.begin(), span.end()};
}

nnrun_windows windows(const nnrun_layer_view& view, const Tensor& input, const char* size_name) {
  const bool pool = std::string_view(size_name) == "size";
  const std::vector<std::int64_t> size = integers(param_of(view, size_name));
  const IntegersOrWord padding = integers_or_word(param_of(view, "padding")), stride = integers_or_word(param_of(view, "stride"));
  if (pool) return layers::pool_windows_of(input, size, stride, padding);
  const std::vector<std::int64_t> dilation = integers(param_of(view, "dilation"));
  return layers::windows_of(input, {size, stride.integers, dilation, padding, size_name});
}

void set_product(Layer& layer, const nnrun_layer_view& view, const Tensor& input, bool fixed) {
  layer.operation = Operation::product;
  layer.convolution = std::string_view(view.component).ends_with("conv2d");
  layer.channels = input.dim(input.rank() - 1);
  layer.features = param_of(view, layer.convolution ? "filters" : "units").integer;
  const nnrun_tensor& weights = *tensor_of(view, "weights");
  layer.depth = Tensor(weights).count() / layer.features;
  if (layer.convolution) {
    layer.groups = param_of(view, "groups").integer;
    layer.windows = windows(view, input, "kernel");
  }
  const nnrun_tensor* bias = tensor_of(view, "bias");
  const auto features = static_cast<std::size_t>(layer.features);
  if (fixed) {
    layer.arithmetic = param_of(view, "arithmetic").string;
    layer.shift = param_of(view, "shift").integer;
    if (layer.convolution) layer.outside = param_of(view, "outside").integer;
    if (layer.arithmetic == "s8") {
      layer.weights_s8 = numbers<std::int8_t>(weights);
    } else {
      layer.weights_s32 = numbers<std::int32_t>(weights);
    }
    layer.bias_s32 = bias != nullptr ? numbers<std::int32_t>(*bias) : std::vector<std::int32_t>(features);
    return;
  }
  layer.arithmetic = "f32";
  layer.bias_f32 = bias != nullptr ? numbers<float>(*bias) : std::vector<float>(features);
  layer.weights_f32 = numbers<float>(weights);
  if (layer.convolution) return;
  const std::vector<float> by_input = std::exchange(layer.weights_f32, std::vector<float>(layer.weights_f32.size()));  // (in, units)
  for (std::size_t k = 0; k < static_cast<std::size_t>(layer.depth); ++k) {
    for (std::size_t f = 0; f < features; ++f)
      layer.weights_f32[f * static_cast<std::size_t>(layer.depth) + k] = by_input[k * features + f];
  }
}

// False: the layer does nothing to one sample.
bool set_operation(Layer& layer, const nnrun_layer_view& view, const Tensor& input) {
  const std::string_view component = view.component;
  if (component == "flatten" || component == "dropout") return false;
  if (component == "fixed_dense" || component == "fixed_conv2d") {
    set_product(layer, view, input, true);
  } else if ((component == "dense" || component == "conv2d") && tensor_of(view, "weights") != nullptr) {
    set_product(layer, view, input, false);
  } else if (component == "fixed_maxpool2d" || component == "maxpool2d") {
    layer.operation = Operation::maxpool;
    layer.channels = input.dim(3);
    layer.windows = windows(view, input, "size");
  } else if (component == "fixed_relu" || view.trait == NNRUN_TRAIT_RELU) {
    layer.operation = Operation::relu;
  } else if (component == "fixed_widen") {
    layer.operation = Operation::widen;
    layer.factor = param_of(view, "factor").integer;
  } else if (component == "requantize") {
    layer.operation = Operation::requantize;
    layer.channels = input.dim(input.rank() - 1);
    layer.multipliers = numbers<std::int32_t>(*tensor_of(view, "multiplier"));
    layer.shifts = numbers<std::int32_t>(*tensor_of(view, "shift"));
  } else if (component == "fixed_argmax") {
    layer.operation = Operation::argmax;
    layer.channels = input.dim(input.rank() - 1);
  } else if (view.trait == NNRUN_TRAIT_AFFINE && view.scale != nullptr) {
    layer.operation = Operation::affine;
    layer.channels = input.dim(input.rank() - 1);
    layer.scale.assign(view.scale, view.scale + layer.channels);
    layer.offset.assign(view.offset, view.offset + layer.channels);
  } else {
    throw Error(
        std::string(view.name) +
        " cannot be exported: there are dense, conv2d, relu, maxpool2d, flatten, dropout, batchnorm, and the layers that quantizers make");
  }
  return true;
}

// Inputs lie at one end of the arena, outputs at the other: of a chain, no more than these two are alive at a time. Elementwise layers
// work in place.
void place(Net& net) {
  constexpr std::int64_t alignment = 4;
  std::int64_t largest = 0;
  const auto rounded = [](const Place& p) { return (p.count * bytes_of(p.dtype) + alignment - 1) / alignment * alignment; };
  const auto in_place = [](const Layer& layer) {
    return (layer.operation == Operation::relu || layer.operation == Operation::affine) && layer.input.where == Place::Where::arena;
  };
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    Layer& layer = net.layers[i];
    layer.input.where = i == 0 ? Place::Where::input : Place::Where::arena;
    layer.output.where = i + 1 == net.layers.size() ? Place::Where::output : Place::Where::arena;
    const std::int64_t input = layer.input.where == Place::Where::arena ? rounded(layer.input) : 0;
    const std::int64_t output = layer.output.where == Place::Where::arena && !in_place(layer) ? rounded(layer.output) : 0;
    largest = std::max(largest, input + output);
  }
  net.arena_bytes = largest;
  bool at_end = true;
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    Layer& layer = net.layers[i];
    if (i > 0) layer.input.offset = net.layers[i - 1].output.offset;
    if (layer.output.where != Place::Where::arena) continue;
    if (in_place(layer)) {
      layer.output.offset = layer.input.offset;
      continue;
    }
    at_end = !at_end;
    layer.output.offset = at_end ? largest - rounded(layer.output) : 0;
  }
}

}  // namespace

std::int64_t bytes_of(nnrun_dtype dtype) { return dtype == NNRUN_U8 || dtype == NNRUN_S8 ? 1 : 4; }

std::int64_t Layer::weight_bytes() const {
  return static_cast<std::int64_t>(4 * (weights_f32.size() + bias_f32.size() + weights_s32.size() + bias_s32.size() + multipliers.size() +
                                        shifts.size() + scale.size() + offset.size()) +
                                   weights_s8.size());
}

std::int64_t Net::weight_bytes() const {
  std::int64_t bytes = 0;
  for (const Layer& layer : layers) bytes += layer.weight_bytes();
  return bytes;
}

Net net_of(const nnrun_net_view& view, std::int64_t golden) {
  Net net;
  const Tensor input(view.input);
  net.golden = std::min(golden, input.dim(0));
  net.input_shape = input.shape();
  net.input_shape.erase(net.input_shape.begin());
  net.golden_inputs = view.input;
  net.golden_outputs = view.input;
  for (std::uint32_t i = 0; i < view.layer_count; ++i) {
    const nnrun_layer_view& layer_view = view.layers[i];
    const std::string_view component = layer_view.component;
    if (layer_view.input_count != 1 || layer_view.inputs[0] != i) {
      throw Error(std::string(layer_view.name) + " takes other inputs than the layer before it: only chains of layers can be exported");
    }
    const nnrun_tensor& before = i == 0 ? view.input : view.layers[i - 1].output;
    if (i == 0 && component == "fixed_input") {
      net.integers = true;
      net.input_scale = param_of(layer_view, "scale").number;
      net.input_offset = param_of(layer_view, "offset").number;
      net.input_minimum = layer_view.output.dtype == NNRUN_U8 ? 0 : static_cast<double>(param_of(layer_view, "minimum").integer);
      net.input_maximum = layer_view.output.dtype == NNRUN_U8 ? 255 : static_cast<double>(param_of(layer_view, "maximum").integer);
      net.golden_inputs = net.golden_outputs = layer_view.output;
      continue;
    }
    if (component == "fixed_output" && i + 1 == view.layer_count) {
      net.output_scale = param_of(layer_view, "scale").number;
      continue;
    }
    Layer layer;
    layer.name = layer_view.name;
    layer.input = place_of(before);
    layer.output = place_of(layer_view.output);
    if (set_operation(layer, layer_view, sample(before))) {
      layer.number = net.layers.size() + 1;
      net.layers.push_back(std::move(layer));
    }
    net.golden_outputs = layer_view.output;
  }
  if (net.layers.empty()) throw Error("the net has no layers that compute something: there is nothing to export");
  net.input = static_cast<nnrun_dtype>(net.golden_inputs.dtype);
  net.inputs = sample(net.golden_inputs).count();
  net.outputs = sample(net.golden_outputs).count();
  place(net);
  return net;
}

}  // namespace nnrun::exporters
