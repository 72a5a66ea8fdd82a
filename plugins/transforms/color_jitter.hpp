#pragma once

#include <numbers>

#include "picture.hpp"

namespace nnrun::transforms {

// Changes a training picture's light and colours at random. All four changes are linear, so together they are one matrix and one
// offset: y = M x + b.
struct ColorJitter {
  static constexpr auto name = "color_jitter";
  static constexpr auto doc = "in training, changes each picture's brightness, contrast, saturation and hue at random";
  static constexpr bool augments = true;

  double brightness = 0.2;
  double contrast = 0.2;
  double saturation = 0.2;
  double hue = 0;

  static constexpr auto params() {
    return schema(
        param<&ColorJitter::brightness>("brightness", "all is multiplied by 1 - this to 1 + this").range(0, 1),
        param<&ColorJitter::contrast>("contrast", "the distance to the picture's mean grey is multiplied by 1 - this to 1 + this")
            .range(0, 1),
        param<&ColorJitter::saturation>("saturation", "the distance of each pixel to its own grey, by 1 - this to 1 + this").range(0, 1),
        param<&ColorJitter::hue>("hue", "greatest turn of the colours either way, in degrees").range(0, 180));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) const {
    const std::int64_t channels = picture_size(input).channels;
    if (channels != 1 && channels != 3) {
      throw Error("takes grey or RGB pictures (1 or 3 channels), got " + std::to_string(channels));
    }
    return make_tensor(input.dtype(), input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    if (!training) {
      copy_sample(x, y);
      return;
    }
    Random random(key);
    const auto around = [&](double middle, double most) {
      return static_cast<float>(middle + most * (2.0 * static_cast<double>(random.next_uniform()) - 1.0));
    };
    const float light = around(1, brightness), spread = around(1, contrast), colour = around(1, saturation);
    const float turn = around(0, hue * std::numbers::pi / 180);
    if (x.dtype() == NNRUN_U8) {
      change(x.data<const std::uint8_t>(), y.data<std::uint8_t>(), picture_size(x), light, spread, colour, turn);
    } else {
      change(x.data<const float>(), y.data<float>(), picture_size(x), light, spread, colour, turn);
    }
  }

 private:
  static constexpr float grey[3] = {0.299f, 0.587f, 0.114f};  // Rec. 601

  static void put(float value, float& to) { to = value; }
  static void put(float value, std::uint8_t& to) { to = static_cast<std::uint8_t>(std::min(std::max(value, 0.0f), 255.0f) + 0.5f); }

  template <class Number>
  static float mean_grey(const Number* x, const PictureSize& size) {
    const std::int64_t row = size.width * size.channels;
    double total = 0;
    for (std::int64_t r = 0; r < size.height; ++r, x += row) {
      // A row's sums in float are exact for bytes, and right to 1 in 10^5 for floats.
      float sums[3] = {0, 0, 0};
      if (size.channels == 3) {
        for (std::int64_t i = 0; i < row; i += 3) {
          for (int c = 0; c < 3; ++c) sums[c] += static_cast<float>(x[i + c]);
        }
        total += static_cast<double>(grey[0] * sums[0] + grey[1] * sums[1] + grey[2] * sums[2]);
      } else {
        for (std::int64_t i = 0; i < row; ++i) sums[0] += static_cast<float>(x[i]);
        total += static_cast<double>(sums[0]);
      }
    }
    return static_cast<float>(total / static_cast<double>(size.height * size.width));
  }

  template <class Number>
  static void change(const Number* x, Number* y, const PictureSize& size, float light, float spread, float colour, float turn) {
    const float offset = light * (1 - spread) * mean_grey(x, size);
    const float gain = light * spread;
    const std::int64_t count = size.height * size.width;
    if (size.channels == 1) {
      for (std::int64_t i = 0; i < count; ++i) put(gain * static_cast<float>(x[i]) + offset, y[i]);
      return;
    }
    // Saturation scales what is orthogonal to grey, and hue turns it about the grey axis (1, 1, 1), by Rodrigues' formula.
    const float cosine = std::cos(turn), sine = std::sin(turn) / std::numbers::sqrt3_v<float>;
    float turned[3][3], m[3][3];
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        const float cross = i == j ? 0.0f : (j == (i + 1) % 3 ? -1.0f : 1.0f);
        turned[i][j] = (i == j ? cosine : 0.0f) + (1 - cosine) / 3 + cross * sine;
      }
    }
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        // turned * (colour * 1 + (1 - colour) * grey); turning leaves greys, the columns of the second part, as they are.
        m[i][j] = gain * (colour * turned[i][j] + (1 - colour) * grey[j]);
      }
    }
    for (std::int64_t i = 0; i < count; ++i, x += 3, y += 3) {
      const float red = static_cast<float>(x[0]), green = static_cast<float>(x[1]), blue = static_cast<float>(x[2]);
      for (int k = 0; k < 3; ++k) put(m[k][0] * red + m[k][1] * green + m[k][2] * blue + offset, y[k]);
    }
  }
};

}  // namespace nnrun::transforms
