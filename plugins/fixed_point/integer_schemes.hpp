// Schemes that keep 32-bit integers with a fixed number of fraction bits: q16_16, q16_16_low, q12, q8. Each proves, by interval arithmetic
// over the weights and the input's range, that nothing wraps, and how far the outputs can be from the float net's; or refuses.
#pragma once

#include "intervals.hpp"

#include <cmath>
#include <cstdint>

namespace nnrun::fixed_point {

// floor(x * 2^bits + 1/2)
inline bool to_fixed(double x, int bits, std::int32_t& fixed) {
  const double scaled = std::floor(std::ldexp(x, bits) + 0.5);
  if (!(std::abs(scaled) < 2147483647.0)) return false;
  fixed = static_cast<std::int32_t>(scaled);
  return true;
}

class IntegerScheme {
 public:
  IntegerScheme(const nnrun_net_view& net, const nnrun_quantized& to, std::string arithmetic, int bits, int most_rescaling)
      : net_(net), chain_(chain_of(net)), make_(to), arithmetic_(std::move(arithmetic)), bits_(bits), most_rescaling_(most_rescaling) {}

  void run() {
    std::vector<Bounds> bounds = input();
    int rescaled = 0;  // all numbers from here on are 2^-rescaled of the float net's
    for (std::size_t i = 0; i < chain_.products.size(); ++i) {
      const Product& p = chain_.products[i];
      int shift = 0;
      std::vector<Bounds> outputs;
      std::string broken;
      for (;; ++shift) {
        IntegerProduct product = integers(p, rescaled, shift, i == 0 ? input_factor_ : 1);
        if (product.broken.empty()) outputs = product.prove(bounds);
        broken = product.broken;
        if (broken.empty()) {
          make_.product(p, arithmetic_ + (arithmetic_ == "s32" ? ", shift: " + std::to_string(bits_) : ""), product.weights, product.bias);
          break;
        }
        if (shift == most_rescaling_) refuse(p, broken);
      }
      if (shift > 0) make_.note(std::string(p.layer->name) + ": weights times 2^-" + std::to_string(shift));
      rescaled += shift;
      bounds = std::move(outputs);
      for (const Step& step : p.behind) {
        make_.step(step);
        bounds = after(step, std::move(bounds));
      }
    }
    finish(bounds, rescaled);
  }

 private:
  // The first layers; returns the range of what they give.
  std::vector<Bounds> input() {
    const Tensor samples(net_.input);
    Bounds range;
    if (are_pixels(net_.input)) {
      const int factor = static_cast<int>(std::floor(std::ldexp(1.0, bits_) / 255));
      make_.layer("fixed_input", "{type: u8, scale: 255, offset: 0.5}");
      make_.layer("fixed_widen", "{factor: " + std::to_string(factor) + "}");
      range.high = 255 * factor;
      // A pixel p is p / 255 in the float net, and p * factor / 2^bits here.
      input_factor_ = std::ldexp(1.0, bits_) / (255.0 * factor);
      range.error = std::ldexp(1.0, -22);
    } else {
      const auto [least, greatest] = std::minmax_element(samples.span().begin(), samples.span().end());
      const double margin = 0.25 * static_cast<double>(*greatest - *least), unit = std::ldexp(1.0, bits_);
      const double low = std::floor((static_cast<double>(*least) - margin) * unit),
                   high = std::ceil((static_cast<double>(*greatest) + margin) * unit);
      if (!(std::max(std::abs(low), std::abs(high)) <= 1 << 24)) {
        throw Error(format("the inputs, %.6g to %.6g, are too large for %d fraction bits: scale them with a transform",
                           static_cast<double>(*least), static_cast<double>(*greatest), bits_));
      }
      make_.layer("fixed_input", format("{type: s32, scale: %.0f, offset: 0.5, minimum: %.0f, maximum: %.0f}", unit, low, high));
      range.low = static_cast<Wide>(low);
      range.high = static_cast<Wide>(high);
      range.error = std::ldexp(1.0, -bits_ - 1) + std::ldexp(std::max(std::abs(low), std::abs(high)) / unit, -23);
      make_.note(format("inputs are taken from %.6g to %.6g; what is outside counts as the nearest of them", low / unit, high / unit));
    }
    std::vector<Bounds> bounds(static_cast<std::size_t>(samples.dim(samples.rank() - 1)), range);
    for (const Step& step : chain_.before) {
      make_.step(step);
      bounds = after(step, std::move(bounds));
    }
    return bounds;
  }

  IntegerProduct integers(const Product& p, int rescaled, int shift, double factor) const {
    IntegerProduct q{p, arithmetic_, bits_, {}, {}, {}, {}, {}};
    const double scale = std::ldexp(factor, -shift), bias_scale = std::ldexp(1.0, -shift - rescaled);
    q.weights.resize(p.weights.size());
    q.bias.resize(p.bias.size());
    for (std::size_t i = 0; i < p.weights.size(); ++i) {
      q.exact_weights.push_back(p.weights[i] * scale);
      if (!to_fixed(p.weights[i] * scale, bits_, q.weights[i])) q.broken = format("the weight %.6g has no place in 32 bits", p.weights[i]);
    }
    for (std::size_t i = 0; i < p.bias.size(); ++i) {
      q.exact_bias.push_back(p.bias[i] * bias_scale);
      if (!to_fixed(p.bias[i] * bias_scale, arithmetic_ == "s32" ? 2 * bits_ : bits_, q.bias[i])) {
        q.broken = format("the bias %.6g has no place in 32 bits", p.bias[i]);
      }
    }
    return q;
  }

  [[noreturn]] void refuse(const Product& p, const std::string& broken) const {
    throw Error(std::string(p.layer->name) + " cannot be proved not to overflow: " + broken +
                (most_rescaling_ > 0 ? ", with its weights times 2^-" + std::to_string(most_rescaling_) + " still" : "") +
                (arithmetic_ == "q16" ? "; scale the net's inputs or outputs" : "; take q16_16"));
  }

  void finish(const std::vector<Bounds>& bounds, int rescaled) {
    double error = 0;
    Wide largest = 0;
    for (const Bounds& b : bounds) {
      error = std::max(error, b.error);
      largest = std::max(largest, b.size());
    }
    // Floats hold these exactly, so that no two of them become equal.
    if (largest > (Wide{1} << 24)) make_.note("outputs can reach " + text_of(largest) + ", of which a float keeps the first 24 bits");
    make_.layer("fixed_output", format("{scale: %.17g}", std::ldexp(1.0, rescaled - bits_)));
    make_.error_bound(std::ldexp(error, rescaled));
    make_.note("proved: no product and no sum wraps, whatever the input; outputs stay below " + text_of(largest) + " / 2^" +
               std::to_string(bits_ - rescaled));
  }

  const nnrun_net_view& net_;
  const Chain chain_;
  const Maker make_;
  const std::string arithmetic_;
  const int bits_, most_rescaling_;
  double input_factor_ = 1;
};

struct Q16_16 {
  static constexpr auto name = "q16_16";
  static constexpr auto doc = "32-bit numbers with 16 fraction bits; sums of 64-bit products";
  void quantize(const nnrun_net_view& net, const nnrun_quantized& to) const { IntegerScheme(net, to, "q16", 16, 0).run(); }
};

// ReLU and max-pool do not mind a positive factor: where something could wrap, a layer's weights are made smaller, by the least power of
// two with which it is proved that nothing does; the last layer gives the outputs their size back.
inline constexpr const char* rescaling_doc =
    "a layer's weights are made smaller by 2 to the power of this, at most, until nothing can overflow";

struct Q16_16Low {
  static constexpr auto name = "q16_16_low";
  static constexpr auto doc =
      "q16_16 with only the low 32 bits of each product; weights are rescaled until no product is proved to overflow, or the net refused";
  std::int64_t rescaling = 8;

  static constexpr auto params() { return schema(param<&Q16_16Low::rescaling>("rescaling", rescaling_doc).range(0, 12)); }
  void quantize(const nnrun_net_view& net, const nnrun_quantized& to) const {
    IntegerScheme(net, to, "q16_low", 16, static_cast<int>(rescaling)).run();
  }
};

struct Q12 {
  static constexpr auto name = "q12";
  static constexpr auto doc =
      "32-bit numbers with 12 fraction bits; sums in 32 bits, one shift at the end; weights are rescaled where a sum could overflow";
  std::int64_t rescaling = 8;

  static constexpr auto params() { return schema(param<&Q12::rescaling>("rescaling", rescaling_doc).range(0, 12)); }
  void quantize(const nnrun_net_view& net, const nnrun_quantized& to) const {
    IntegerScheme(net, to, "s32", 12, static_cast<int>(rescaling)).run();
  }
};

struct Q8 {
  static constexpr auto name = "q8";
  static constexpr auto doc =
      "32-bit numbers with 8 fraction bits; sums in 32 bits, one shift at the end; weights are rescaled where a sum could overflow";
  std::int64_t rescaling = 4;

  static constexpr auto params() { return schema(param<&Q8::rescaling>("rescaling", rescaling_doc).range(0, 12)); }
  void quantize(const nnrun_net_view& net, const nnrun_quantized& to) const {
    IntegerScheme(net, to, "s32", 8, static_cast<int>(rescaling)).run();
  }
};

}  // namespace nnrun::fixed_point
