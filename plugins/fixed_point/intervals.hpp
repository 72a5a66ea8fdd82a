// Interval arithmetic: what a net of integers can at most compute, and how far that can be from the float net, whatever the input in range.
// A proof: the numbers are the net's own weights, the intervals are exact, and a bound that is not kept is an error.
#pragma once

#include "chain.hpp"

#include <algorithm>
#include <cmath>

namespace nnrun::fixed_point {

__extension__ typedef __int128 Wide;

// Of one channel: the integer is in low..high, and off the float net's number by no more than `error` (in units of 1, both scaled alike).
struct Bounds {
  Wide low = 0, high = 0;
  double error = 0;
  Wide size() const { return std::max(low < 0 ? -low : low, high < 0 ? -high : high); }
};

inline std::string text_of(Wide x) { return format("%.4g", static_cast<double>(x)); }

constexpr Wide greatest32 = (Wide{1} << 31) - 1;

// What becomes of the bounds behind a product.
inline std::vector<Bounds> after(const Step& step, std::vector<Bounds> channels) {
  if (step.kind == Step::Kind::relu) {
    for (Bounds& b : channels) {
      b.low = std::max<Wide>(b.low, 0);
      b.high = std::max<Wide>(b.high, 0);
    }
  } else if (step.kind == Step::Kind::flatten) {
    // Channels are the last dimension: they repeat, place after place.
    const auto count = static_cast<std::size_t>(Tensor(step.layer->output).columns());
    const std::size_t period = channels.size();
    channels.resize(count);
    for (std::size_t i = period; i < count; ++i) channels[i] = channels[i - period];
  }
  return channels;
}

// A product in one of the arithmetics on s32, with `bits` fraction bits.
struct IntegerProduct {
  const Product& product;
  std::string arithmetic;  // q16, q16_low or s32
  int bits;
  std::vector<std::int32_t> weights, bias;        // bias of s32 has 2 * bits fraction bits
  std::vector<double> exact_weights, exact_bias;  // what they stand for, scaled as they are

  // "" where nothing can wrap; else what does.
  std::string broken;

  Bounds input(const std::vector<Bounds>& inputs, std::int64_t f, std::int64_t k) const {
    Bounds x = inputs[static_cast<std::size_t>(product.channel(f, k))];
    if (product.padded) {
      x.low = std::min<Wide>(x.low, 0);
      x.high = std::max<Wide>(x.high, 0);
    }
    return x;
  }

  std::vector<Bounds> prove(const std::vector<Bounds>& inputs) {
    std::vector<Bounds> outputs;
    for (std::int64_t f = 0; f < product.features; ++f) outputs.push_back(prove(inputs, f));
    return outputs;
  }

 private:
  void require(bool good, const std::string& what, Wide bound, const char* limit) {
    if (!good && broken.empty()) broken = what + " can reach " + text_of(bound) + ", the limit is " + limit;
  }

  Bounds prove(const std::vector<Bounds>& inputs, std::int64_t f) {
    const bool low32 = arithmetic == "q16_low", q16 = arithmetic == "q16";
    const double unit = std::ldexp(1.0, -bits);
    const auto at = static_cast<std::size_t>(f);
    Bounds sum;
    Wide magnitude = 0, largest_product = 0;  // of all partial sums, in whatever order they are added
    double error = 0, terms = 0;
    for (std::int64_t k = 0; k < product.depth; ++k) {
      const Bounds x = input(inputs, f, k);
      const Wide w = weights[static_cast<std::size_t>(f * product.depth + k)];
      Wide a = std::min(w * x.low, w * x.high), b = std::max(w * x.low, w * x.high);
      largest_product = std::max({largest_product, a < 0 ? -a : a, b < 0 ? -b : b});
      if (low32) {
        a >>= 16;
        b >>= 16;
      }
      sum.low += a;
      sum.high += b;
      magnitude += std::max(a < 0 ? -a : a, b < 0 ? -b : b);
      const double exact = exact_weights[static_cast<std::size_t>(f * product.depth + k)];
      const double x_size = static_cast<double>(x.size()) * unit;
      error += std::abs(exact - static_cast<double>(w) * unit) * x_size + std::abs(exact) * x.error;
      if (low32 && w != 0) error += unit;  // its floor
      terms += std::abs(exact) * (x_size + x.error);
    }
    const Wide b = bias[at];
    if (q16) {
      require(magnitude < (Wide{1} << 62), "a sum", magnitude, "2^62");
      sum.low = (sum.low >> 16) + b;
      sum.high = (sum.high >> 16) + b;
    } else {
      if (low32) require(largest_product <= greatest32, "a product", largest_product, "2^31");
      require(magnitude + (b < 0 ? -b : b) <= greatest32, "a sum", magnitude + (b < 0 ? -b : b), "2^31");
      sum.low += b;
      sum.high += b;
      if (!low32) {
        sum.low >>= bits;
        sum.high >>= bits;
      }
    }
    require(sum.size() <= greatest32, "a result", sum.size(), "2^31");
    const double bias_unit = arithmetic == "s32" ? unit * unit : unit;
    error += std::abs(exact_bias[at] - static_cast<double>(b) * bias_unit);
    if (!low32) error += unit;  // the one floor
    // The float net rounds, too: each of depth + 2 operations by half an ulp, of all that was added up at most.
    error += static_cast<double>(product.depth + 2) * std::ldexp(1.0, -24) * 1.01 * (terms + std::abs(exact_bias[at]));
    sum.error = error;
    return sum;
  }
};

}  // namespace nnrun::fixed_point
