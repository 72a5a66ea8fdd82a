// Dense layers: every way in which oneDNN computes their products.
#pragma once

#include <array>

#include "onednn_layer.hpp"

namespace peer {

using DenseForward = dnnl::inner_product_forward;
using DenseBackwardData = dnnl::inner_product_backward_data;
using DenseBackwardWeights = dnnl::inner_product_backward_weights;

// The input may be a picture: then the weights are (outputs, channels, height, width).
struct Dense {
  memory::desc x;
  int64_t outputs;
  bool relu;
  type numbers = type::f32;  // see onednn::Convolution

  memory::dims weight_dims() const {
    memory::dims dims = x.dims();
    dims[0] = outputs;
    return dims;
  }
  memory::desc weights(tag format) const { return describe(weight_dims(), format, numbers); }
  memory::desc bias() const { return describe({outputs}, tag::a); }
  memory::desc y() const { return describe({x.dims()[0], outputs}, tag::ab, numbers); }
  // As fixtures have it: (inputs, outputs), a picture's inputs being (height, width, channels).
  memory::desc plain_weights() const {
    if (x.dims().size() == 2) return describe(weight_dims(), tag::ba);
    const auto dims = x.dims();
    return {weight_dims(), memory::data_type::f32, memory::dims{1, outputs, dims[3] * dims[1] * outputs, dims[1] * outputs}};
  }
  std::vector<tag> plain_tags() const {
    if (x.dims().size() == 2) return {tag::ab, tag::ba};
    return {tag::acdb, tag::cdba};
  }

  DenseForward::primitive_desc forward(const memory::desc& w, bool training) const {
    const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return {DenseForward::desc(kind, x, w, bias(), y()), with_relu(relu), engine()};
  }
  DenseForward::primitive_desc hint() const {
    return {DenseForward::desc(dnnl::prop_kind::forward_training, x, weights(tag::any), bias(), y()), engine()};
  }
};

struct DenseMemories {
  memory x, y, dy, dx, bias, bias_gradient;
};

// Tries `make` with each of `layouts`; oneDNN does not have all.
inline Ways ways_of(const std::vector<memory::desc>& layouts, const std::function<Way(const memory::desc&)>& make) {
  Ways found;
  for (const memory::desc& layout : layouts) {
    try {
      Way way = make(layout);
      const auto same = [&](const Way& other) { return other.weights == way.weights; };
      if (std::none_of(found.begin(), found.end(), same)) found.push_back(std::move(way));
    } catch (const dnnl::error&) {
    }
  }
  return found;
}

// Refuses implementations that are for reference only: they take seconds.
inline void demand_optimized(const dnnl::primitive_desc_base& description) {
  if (std::string(description.impl_info_str()).find("ref") != std::string::npos) throw dnnl::error(dnnl_unimplemented, "reference");
}

inline Way dense_forward(const Dense& d, const DenseMemories& m, const memory::desc& layout, bool training) {
  const auto description = d.forward(with_numbers(layout, d.numbers), training);
  demand_optimized(description);
  return {
      description.weights_desc(), [=](const memory& own) {
        return Op(DenseForward(description), {{DNNL_ARG_SRC, m.x}, {DNNL_ARG_WEIGHTS, own}, {DNNL_ARG_BIAS, m.bias}, {DNNL_ARG_DST, m.y}});
      }};
}

inline Way dense_backward_weights(const Dense& d, const DenseMemories& m, const memory::desc& layout) {
  const auto gradient = with_numbers(layout, type::f32);
  const DenseBackwardWeights::primitive_desc description(DenseBackwardWeights::desc(d.x, gradient, d.bias(), d.y()), engine(), d.hint());
  demand_optimized(description);
  return {description.diff_weights_desc(), [=](const memory& own) {
            return Op(
                DenseBackwardWeights(description),
                {{DNNL_ARG_SRC, m.x}, {DNNL_ARG_DIFF_DST, m.dy}, {DNNL_ARG_DIFF_WEIGHTS, own}, {DNNL_ARG_DIFF_BIAS, m.bias_gradient}});
          }};
}

inline Way dense_backward_data(const Dense& d, const DenseMemories& m, const memory::desc& layout) {
  const auto weights = with_numbers(layout, d.numbers);
  const DenseBackwardData::primitive_desc description(DenseBackwardData::desc(d.x, weights, d.y()), engine(), d.hint());
  demand_optimized(description);
  return {description.weights_desc(), [=](const memory& own) {
            return Op(DenseBackwardData(description), {{DNNL_ARG_DIFF_DST, m.dy}, {DNNL_ARG_WEIGHTS, own}, {DNNL_ARG_DIFF_SRC, m.dx}});
          }};
}

// Each product in the layouts that the three would choose, and in plain ones.
inline Layer dense_layer(const Dense& d, const DenseMemories& m, bool needs_dx) {
  const auto any = d.weights(tag::any);
  std::vector<memory::desc> layouts = {any};
  for (const auto& way : {dense_forward(d, m, any, true), dense_backward_weights(d, m, any), dense_backward_data(d, m, any)}) {
    layouts.push_back(way.weights);
  }
  for (const tag plain : d.plain_tags()) layouts.push_back(d.weights(plain));
  return Layer(ways_of(layouts, [&](const memory::desc& w) { return dense_forward(d, m, w, true); }),
               ways_of(layouts, [&](const memory::desc& w) { return dense_backward_weights(d, m, w); }),
               needs_dx ? ways_of(layouts, [&](const memory::desc& w) { return dense_backward_data(d, m, w); }) : Ways());
}

// The fastest forward product, with weights packed once from `plain`.
inline Op dense_inference(const Dense& d, const DenseMemories& m, const memory& plain) {
  std::vector<memory::desc> layouts = {d.weights(tag::any)};
  for (const tag format : d.plain_tags()) layouts.push_back(d.weights(format));
  double best = std::numeric_limits<double>::infinity();
  Op result;
  for (const Way& way : ways_of(layouts, [&](const memory::desc& w) { return dense_forward(d, m, w, false); })) {
    const memory packed = allocate(way.weights);
    reorder_op(plain, packed).run();
    const Op op = way.bind(packed);
    const double seconds = time_of([&] { op.run(); });
    if (seconds < best) best = seconds, result = op;
  }
  return result;
}

}  // namespace peer
