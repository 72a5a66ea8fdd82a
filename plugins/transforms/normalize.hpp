#pragma once

#include "../common/text.hpp"

namespace nnrun::transforms {

// y = (x - mean) / deviation, each channel (the last dimension) with its own, or all with the only one given.
struct Normalize {
  static constexpr auto name = "normalize";
  static constexpr auto doc = "subtracts the mean and divides by the deviation, for each channel or for all";
  static constexpr bool augments = false;

  std::vector<double> mean;
  std::vector<double> deviation;

  static constexpr auto params() {
    return schema(
        param<&Normalize::mean>("mean", "subtracted; one number, or one a channel").required().items(1, 65536),
        param<&Normalize::deviation>("deviation", "divided by; one number, or one a channel").required().above(0).items(1, 65536));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) {
    if (input.dtype() != NNRUN_U8 && input.dtype() != NNRUN_F32) throw Error("takes u8 or f32, got " + dtype_name(input.dtype()));
    channels_ = static_cast<std::size_t>(input.dim(input.rank() - 1));
    mean_ = for_channels("mean", mean);
    deviation_ = for_channels("deviation", deviation);
    return make_tensor(NNRUN_F32, input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key&, bool) const {
    if (x.dtype() == NNRUN_U8) {
      normalize(x.data<const std::uint8_t>(), y);
    } else {
      normalize(x.data<const float>(), y);
    }
  }

 private:
  std::vector<float> for_channels(const char* parameter, const std::vector<double>& given) const {
    if (given.size() != 1 && given.size() != channels_) {
      throw Error("has " + std::to_string(given.size()) + " numbers, but the samples have " + std::to_string(channels_) +
                  (channels_ == 1 ? " channel" : " channels") + ": give one number, or one a channel")
          .at(parameter);
    }
    std::vector<float> all(channels_, static_cast<float>(given[0]));
    for (std::size_t c = 0; c < given.size(); ++c) all[c] = static_cast<float>(given[c]);
    return all;
  }

  template <class Number>
  void normalize(const Number* x, const Tensor& y) const {
    const std::int64_t count = y.count();
    for (std::int64_t at = 0; at < count; at += static_cast<std::int64_t>(channels_)) {
      for (std::size_t c = 0; c < channels_; ++c) {
        const std::int64_t i = at + static_cast<std::int64_t>(c);
        y[i] = (static_cast<float>(x[i]) - mean_[c]) / deviation_[c];
      }
    }
  }

  std::size_t channels_ = 1;
  std::vector<float> mean_, deviation_;  // of each channel
};

}  // namespace nnrun::transforms
