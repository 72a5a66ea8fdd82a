// Every way in which oneDNN computes a convolution: for who looks for its best.
#pragma once

#include <string>
#include <vector>

#include "onednn.hpp"

namespace onednn {

// Pictures and weights are square; padding is the same in front and behind, except that `output` may leave out what is behind.
struct Convolution {
  int64_t batch, input, channels, filters, kernel, stride, groups;
  bool bias, relu;
  type numbers = type::f32;  // of x, y, their gradients and the weights; gradients of weights, and the bias, are f32

  int64_t padding() const { return kernel / 2; }
  int64_t output() const { return (input + 2 * padding() - kernel) / stride + 1; }
  int64_t padding_behind() const { return (output() - 1) * stride + kernel - input - padding(); }
  memory::dims x() const { return {batch, channels, input, input}; }
  memory::dims y() const { return {batch, filters, output(), output()}; }
  memory::dims weights() const {
    if (groups == 1) return {filters, channels, kernel, kernel};
    return {groups, filters / groups, channels / groups, kernel, kernel};
  }
  // nnrun's order, (filters, kernel, kernel, channels / groups).
  memory::desc plain_weights() const {
    const int64_t own = channels / groups, filter = kernel * kernel * own;
    if (groups == 1) return {weights(), memory::data_type::f32, memory::dims{filter, 1, kernel * own, own}};
    return {weights(), memory::data_type::f32, memory::dims{filter * filters / groups, filter, 1, kernel * own, own}};
  }
};

enum class Pass {
  inference,
  forward,
  backward_data,
  backward_weights
};

struct ConvolutionWay {
  dnnl::primitive primitive;
  memory::desc x, weights, y;  // backward: of their gradients
  std::string name;            // algorithm and implementation

  // `bias` may be empty where there is none.
  Op bind(Pass pass, const memory& x_memory, const memory& w, const memory& bias, const memory& y_memory) const {
    const bool weights_gradient = pass == Pass::backward_weights, data_gradient = pass == Pass::backward_data;
    std::vector<std::pair<int, memory>> list = {{data_gradient ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, x_memory},
                                                {weights_gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, w},
                                                {weights_gradient || data_gradient ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, y_memory}};
    if (bias && !data_gradient) list.emplace_back(weights_gradient ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, bias);
    return Op(primitive, list);
  }
};

// Direct and Winograd, with x and y in the layouts given (or tag::any), weights in any, and for each all implementations that
// oneDNN has, apart from those for reference and for SSE alone. Its own choice (convolution_auto) is always one of them.
inline std::vector<ConvolutionWay> ways(const Convolution& c, Pass pass, tag x_layout, tag y_layout) {
  using dnnl::algorithm;
  const auto x = describe(c.x(), x_layout, c.numbers), y = describe(c.y(), y_layout, c.numbers);
  const auto weights = describe(c.weights(), tag::any, pass == Pass::backward_weights ? type::f32 : c.numbers);
  const auto bias = c.bias ? describe({c.filters}, tag::a) : memory::desc();
  const memory::dims strides = {c.stride, c.stride}, front = {c.padding(), c.padding()}, behind = {c.padding_behind(), c.padding_behind()};
  std::vector<ConvolutionWay> found;
  // next_impl() reads the description and the hint that the first implementation was made of: they must outlive the loop.
  const auto collect = [&](const char* name, auto& description, const auto& add) {
    do {
      const std::string implementation = description.impl_info_str();
      if (implementation.find("ref") != std::string::npos) break;
      if (implementation.find("sse41") != std::string::npos) continue;
      add(description);
      found.back().name = std::string(name) + " " + implementation;
    } while (description.next_impl());
  };
  const auto kind = pass == Pass::inference ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  const std::pair<algorithm, const char*> algorithms[] = {{algorithm::convolution_direct, "direct"},
                                                          {algorithm::convolution_winograd, "winograd"}};
  for (const auto& [how, name] : algorithms) {
    try {
      if (pass == Pass::forward || pass == Pass::inference) {
        const dnnl::convolution_forward::desc wanted(kind, how, x, weights, bias, y, strides, front, behind);
        dnnl::convolution_forward::primitive_desc description(wanted, with_relu(c.relu), engine());
        collect(name, description, [&](const auto& d) {
          found.push_back({dnnl::convolution_forward(d), d.src_desc(), d.weights_desc(), d.dst_desc(), ""});
        });
        continue;
      }
      const dnnl::convolution_forward::desc forward(kind, algorithm::convolution_auto, x, describe(c.weights(), tag::any, c.numbers), bias,
                                                    y, strides, front, behind);
      const dnnl::convolution_forward::primitive_desc hint(forward, engine());
      if (pass == Pass::backward_data) {
        const dnnl::convolution_backward_data::desc wanted(how, x, weights, y, strides, front, behind);
        dnnl::convolution_backward_data::primitive_desc description(wanted, engine(), hint);
        collect(name, description, [&](const auto& d) {
          found.push_back({dnnl::convolution_backward_data(d), d.diff_src_desc(), d.weights_desc(), d.diff_dst_desc(), ""});
        });
      } else {
        const dnnl::convolution_backward_weights::desc wanted(how, x, weights, bias, y, strides, front, behind);
        dnnl::convolution_backward_weights::primitive_desc description(wanted, engine(), hint);
        collect(name, description, [&](const auto& d) {
          found.push_back({dnnl::convolution_backward_weights(d), d.src_desc(), d.diff_weights_desc(), d.diff_dst_desc(), ""});
        });
      }
    } catch (const dnnl::error&) {  // it has none of that kind
    }
  }
  return found;
}

}  // namespace onednn
