// A trained net as a chain of products (dense, conv2d), each with what comes behind it until the next: the form that all schemes work on.
#pragma once

#include "../common/layer_view.hpp"
#include "../common/text.hpp"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace nnrun::fixed_point {

struct Step {
  enum class Kind {
    relu,
    maxpool,
    flatten
  } kind;
  const nnrun_layer_view* layer;
};

// y = W x + b for each place, batch norm behind it folded in.
struct Product {
  const nnrun_layer_view* layer = nullptr;
  const nnrun_layer_view* last = nullptr;  // the batch norm, or the layer itself: whose output is y
  bool convolution = false;
  std::int64_t features = 0, depth = 0;   // of W
  std::int64_t channels = 0, groups = 1;  // of the input
  bool padded = false;                    // convolution: some windows hold places outside of the picture
  std::vector<double> weights;            // (features, depth): for a convolution, depth is (kernel, kernel, channels / groups)
  std::vector<double> bias;               // (features)
  std::vector<Step> behind;

  double weight(std::int64_t f, std::int64_t k) const { return weights[static_cast<std::size_t>(f * depth + k)]; }
  // Which channel of the input W[f][k] is for.
  std::int64_t channel(std::int64_t f, std::int64_t k) const {
    if (!convolution) return k;
    const std::int64_t per_group = channels / groups;
    return f / (features / groups) * per_group + k % per_group;
  }
  bool has_relu() const {
    for (const Step& step : behind) {
      if (step.kind == Step::Kind::relu) return true;
    }
    return false;
  }
};

struct Chain {
  std::vector<Step> before;  // of the first product
  std::vector<Product> products;
};

inline Product product_of(const nnrun_layer_view& layer, const Tensor& input) {
  Product p;
  p.layer = p.last = &layer;
  p.convolution = std::string_view(layer.component) == "conv2d";
  const Tensor weights(*tensor_of(layer, "weights")), output(layer.output);
  p.features = output.dim(output.rank() - 1);
  p.depth = weights.count() / p.features;
  p.channels = input.dim(input.rank() - 1);
  if (p.convolution) {
    p.groups = param_of(layer, "groups").integer;
    p.padded = list_text(param_of(layer, "padding")) != "valid" && list_text(param_of(layer, "padding")) != "[0]";
  }
  p.weights.resize(static_cast<std::size_t>(weights.count()));
  for (std::int64_t f = 0; f < p.features; ++f) {
    for (std::int64_t k = 0; k < p.depth; ++k) {
      // Those of dense are (in, units).
      p.weights[static_cast<std::size_t>(f * p.depth + k)] =
          static_cast<double>(p.convolution ? weights[f * p.depth + k] : weights[k * p.features + f]);
    }
  }
  p.bias.resize(static_cast<std::size_t>(p.features));
  if (const nnrun_tensor* bias = tensor_of(layer, "bias")) {
    for (std::int64_t f = 0; f < p.features; ++f) p.bias[static_cast<std::size_t>(f)] = static_cast<double>(Tensor(*bias)[f]);
  }
  return p;
}

inline void fold(Product& p, const nnrun_layer_view& affine) {
  for (std::int64_t f = 0; f < p.features; ++f) {
    const double scale = static_cast<double>(affine.scale[f]);
    for (std::int64_t k = 0; k < p.depth; ++k) p.weights[static_cast<std::size_t>(f * p.depth + k)] *= scale;
    double& bias = p.bias[static_cast<std::size_t>(f)];
    bias = bias * scale + static_cast<double>(affine.offset[f]);
  }
  p.last = &affine;
}

inline Chain chain_of(const nnrun_net_view& net) {
  Chain chain;
  for (std::uint32_t i = 0; i < net.layer_count; ++i) {
    const nnrun_layer_view& layer = net.layers[i];
    const std::string_view component = layer.component;
    if (layer.input_count != 1 || layer.inputs[0] != i) {
      throw Error(std::string(layer.name) +
                  " takes other inputs than the layer before it: only chains of layers can be had in fixed point");
    }
    std::vector<Step>& steps = chain.products.empty() ? chain.before : chain.products.back().behind;
    const Tensor input(i == 0 ? net.input : net.layers[i - 1].output);
    if ((component == "dense" || component == "conv2d") && tensor_of(layer, "weights") != nullptr) {
      chain.products.push_back(product_of(layer, input));
    } else if (layer.trait == NNRUN_TRAIT_AFFINE && layer.scale != nullptr) {
      if (chain.products.empty() || !steps.empty()) {
        throw Error(std::string(layer.name) +
                    " does not stand directly behind a dense layer or a convolution, into whose weights it could be folded");
      }
      fold(chain.products.back(), layer);
    } else if (layer.trait == NNRUN_TRAIT_RELU) {
      steps.push_back({Step::Kind::relu, &layer});
    } else if (component == "maxpool2d") {
      steps.push_back({Step::Kind::maxpool, &layer});
    } else if (component == "flatten") {
      steps.push_back({Step::Kind::flatten, &layer});
    } else if (component != "dropout") {
      throw Error(
          std::string(layer.name) +
          " cannot be had in fixed point: there are dense, conv2d, relu, maxpool2d, flatten, dropout, and batch norm behind a product");
    }
  }
  if (chain.products.empty()) throw Error("the net has neither a dense layer nor a convolution: there is nothing to quantise");
  return chain;
}

// ---- What is made -----------------------------------------------------------------------------------------

class Maker {
 public:
  explicit Maker(const nnrun_quantized& to) : to_(to) {}

  void layer(const char* component, const std::string& params, const std::vector<nnrun_named_tensor>& tensors = {}) const {
    nnrun_error error{};
    detail::check(to_.layer(to_.context, component, params.c_str(), tensors.data(), tensors.size(), &error), error);
  }

  // The product's integers, (features, depth) and (features).
  template <class Number>
  void product(const Product& p, const std::string& arithmetic, const std::vector<Number>& weights,
               const std::vector<std::int32_t>& bias) const {
    Shape shape{p.features, p.depth};
    std::string params;
    if (p.convolution) {
      shape = Tensor(*tensor_of(*p.layer, "weights")).shape();
      params = "filters: " + std::to_string(p.features);
      for (const char* name : {"kernel", "stride", "dilation", "padding"})
        params += std::string(", ") + name + ": " + list_text(param_of(*p.layer, name));
      params += ", groups: " + std::to_string(p.groups);
    } else {
      params = "units: " + std::to_string(p.features);
    }
    constexpr nnrun_dtype dtype = sizeof(Number) == 1 ? NNRUN_S8 : NNRUN_S32;
    // The tensors are only read.
    const std::vector<nnrun_named_tensor> tensors{
        {"weights", make_tensor(dtype, shape, const_cast<Number*>(weights.data()))},
        {"bias", make_tensor(NNRUN_S32, Shape{p.features}, const_cast<std::int32_t*>(bias.data()))}};
    layer(p.convolution ? "fixed_conv2d" : "fixed_dense", "{" + params + ", arithmetic: " + arithmetic + "}", tensors);
  }

  void step(const Step& step) const {
    switch (step.kind) {
      case Step::Kind::relu: return layer("fixed_relu", "{}");
      case Step::Kind::flatten: return layer("flatten", "{}");
      case Step::Kind::maxpool:
        return layer("fixed_maxpool2d", "{size: " + list_text(param_of(*step.layer, "size")) +
                                            ", stride: " + list_text(param_of(*step.layer, "stride")) +
                                            ", padding: " + list_text(param_of(*step.layer, "padding")) + "}");
    }
  }

  void note(const std::string& text) const { to_.note(to_.context, text.c_str()); }
  void error_bound(double bound) const { to_.error_bound(to_.context, bound); }

 private:
  const nnrun_quantized& to_;
};

// Whether the samples are pixels: whole numbers in 0..255, divided by 255.
inline bool are_pixels(const nnrun_tensor& input) {
  for (const float x : Tensor(input).span()) {
    const float pixel = x * 255;
    if (!(pixel > -0.001f && pixel < 255.001f) || std::abs(pixel - std::nearbyint(pixel)) > 0.001f) return false;
  }
  return true;
}

}  // namespace nnrun::fixed_point
