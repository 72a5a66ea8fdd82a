#pragma once

#include "chain.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nnrun::fixed_point {

// Weights as signed bytes w, in units of a scale (of the layer, or of each feature); numbers between layers as bytes q, which stand for
// (q - zero) * scale. Zero points and the half for rounding are in the biases, so that the arithmetic is products, sums, and one
// multiplication and shift with floor for each sum.
struct Int8 {
  static constexpr auto name = "int8";
  static constexpr auto doc = "bytes: unsigned between layers, signed weights of 8 bits or fewer; ranges are learnt from training samples";

  bool per_channel = true;
  std::int64_t weight_bits = 8;

  static constexpr auto params() {
    return schema(param<&Int8::per_channel>("per_channel", "a scale for the weights of each output, not one for the whole layer"),
                  param<&Int8::weight_bits>("weight_bits", "how many bits of a weight's byte are used").range(2, 8));
  }

  void quantize(const nnrun_net_view& net, const nnrun_quantized& to) const {
    const Chain chain = chain_of(net);
    const Maker make(to);
    Scale scale = input(net, make);
    for (const Step& step : chain.before) make.step(step);
    for (std::size_t i = 0; i < chain.products.size(); ++i) {
      const Product& p = chain.products[i];
      const bool last = i + 1 == chain.products.size();
      const Scale next = last ? Scale{} : range_of(p);
      scale = product(make, p, scale, last ? nullptr : &next);
      for (const Step& step : p.behind) {
        // Bytes that were below 0 are 0 already.
        if (last || step.kind != Step::Kind::relu) make.step(step);
      }
    }
    make.layer("fixed_output", format("{scale: %.17g}", scale.unit));
  }

 private:
  // The byte q stands for (q - zero) * unit.
  struct Scale {
    double unit = 1;
    std::int32_t zero = 0;
  };

  static Scale scale_of(double least, double greatest) {
    least = std::min(least, 0.0);
    greatest = std::max(greatest, 0.0);
    const double unit = greatest > least ? (greatest - least) / 255 : 1;
    return {unit, static_cast<std::int32_t>(std::floor(-least / unit + 0.5))};
  }

  static Scale input(const nnrun_net_view& net, const Maker& make) {
    Scale scale{1.0 / 255, 0};
    if (!are_pixels(net.input)) {
      const auto samples = Tensor(net.input).span();
      const auto [least, greatest] = std::minmax_element(samples.begin(), samples.end());
      scale = scale_of(static_cast<double>(*least), static_cast<double>(*greatest));
    }
    make.layer("fixed_input", format("{type: u8, scale: %.9g, offset: %.9g}", 1 / scale.unit, scale.zero + 0.5));
    return scale;
  }

  static Scale range_of(const Product& p) {
    const auto outputs = Tensor(p.last->output).span();
    const auto [least, greatest] = std::minmax_element(outputs.begin(), outputs.end());
    return scale_of(p.has_relu() ? 0 : static_cast<double>(*least), static_cast<double>(*greatest));
  }

  // The scale with which these weights lose least, in the sum of squares: the largest need not fit.
  double weight_scale(const double* weights, std::int64_t count) const {
    const double most = std::ldexp(1.0, static_cast<int>(weight_bits) - 1) - 1;
    double greatest = 0;
    for (std::int64_t k = 0; k < count; ++k) greatest = std::max(greatest, std::abs(weights[k]));
    if (greatest == 0) return 1;
    double best = 0, best_loss = -1;
    for (int percent = 100; percent >= 50; percent -= 2) {
      const double scale = greatest * percent / 100 / most;
      double loss = 0;
      for (std::int64_t k = 0; k < count; ++k) {
        const double off = weights[k] - scale * rounded(weights[k] / scale, most);
        loss += off * off;
      }
      if (best_loss >= 0 && loss >= best_loss) continue;
      best_loss = loss;
      best = scale;
    }
    return best;
  }

  static double rounded(double x, double most) { return std::clamp(std::floor(x + 0.5), -most, most); }

  // `next`: what bytes the sums become; NULL: they stay sums. Returns the scale of what is made.
  Scale product(const Maker& make, const Product& p, const Scale& x, const Scale* next) const {
    const double most = std::ldexp(1.0, static_cast<int>(weight_bits) - 1) - 1;
    // The outputs of the net are compared with each other: they share a scale.
    const bool by_feature = per_channel && next != nullptr;
    const double whole = weight_scale(p.weights.data(), p.features * p.depth);
    std::vector<std::int8_t> weights(p.weights.size());
    std::vector<std::int32_t> bias, multipliers, shifts;
    for (std::int64_t f = 0; f < p.features; ++f) {
      const double* row = p.weights.data() + f * p.depth;
      double scale = by_feature ? weight_scale(row, p.depth) : whole;
      // Weights next to nothing beside their bias: in units of them, the bias would have no place.
      const double b = p.bias[static_cast<std::size_t>(f)];
      if (by_feature) scale = std::max({scale, std::abs(b) / (x.unit * (1 << 24)), next->unit / (x.unit * (1 << 14))});
      std::int64_t sum = 0, magnitude = 0;
      for (std::int64_t k = 0; k < p.depth; ++k) {
        const auto w = static_cast<std::int8_t>(rounded(row[k] / scale, most));
        weights[static_cast<std::size_t>(f * p.depth + k)] = w;
        sum += w;
        magnitude += std::abs(w);
      }
      double offset = std::floor(b / (x.unit * scale) + 0.5) - static_cast<double>(x.zero * sum);
      if (next != nullptr) {
        const double factor = x.unit * scale / next->unit;
        offset += std::floor((next->zero + 0.5) / factor + 0.5);
        int exponent = 0;
        const double mantissa = std::frexp(factor, &exponent);  // factor = mantissa * 2^exponent, mantissa in 0.5..1
        const int shift = 31 - exponent;
        if (shift < 0 || shift > 62)
          throw Error(std::string(p.layer->name) + format(": its sums would be scaled by %.3g, which no multiplier and shift do", factor));
        if (f == 0 || by_feature) {
          multipliers.push_back(static_cast<std::int32_t>(std::min(std::floor(std::ldexp(mantissa, 31) + 0.5), 2147483647.0)));
          shifts.push_back(shift);
        }
      }
      const double reach = std::abs(offset) + 255.0 * static_cast<double>(magnitude);
      if (reach > 2147483647.0) {
        throw Error(std::string(p.layer->name) + " cannot be proved not to overflow: a sum can reach " + format("%.4g", reach) +
                    ", the limit is 2^31");
      }
      bias.push_back(static_cast<std::int32_t>(offset));
    }
    const std::string outside = p.convolution && p.padded && x.zero != 0 ? ", outside: " + std::to_string(x.zero) : "";
    make.product(p, "s8" + outside, weights, bias);
    if (next == nullptr) return {x.unit * whole, 0};
    const auto count = static_cast<std::int64_t>(multipliers.size());
    make.layer("requantize", by_feature ? "{per_channel: true}" : "{}",
               {{"multiplier", make_tensor(NNRUN_S32, Shape{count}, multipliers.data())},
                {"shift", make_tensor(NNRUN_S32, Shape{count}, shifts.data())}});
    return *next;
  }
};

}  // namespace nnrun::fixed_point
