#include "resize.hpp"

#include <algorithm>
#include <cstring>

namespace nnrun::datasets {

namespace {

constexpr int weight_bits = 14;  // the weights of a window sum up to 2^14
constexpr int between_bits = 6;  // between the passes, a byte has 6 more bits

}  // namespace

void Resizer::make_windows(std::int64_t from, std::int64_t from_eighths, std::int64_t to, std::vector<Window>& windows,
                           std::vector<std::int32_t>& weights) {
  windows.clear();
  weights.clear();
  // Places are counted in units of 1 / (16 * to) of an old pixel, in which the centres of old and new ones are whole numbers.
  const std::int64_t reach = 2 * std::max(from_eighths, 8 * to);
  std::vector<std::int64_t> shares;
  for (std::int64_t i = 0; i < to; ++i) {
    const std::int64_t centre = (2 * i + 1) * from_eighths;
    Window window;
    window.first = std::max<std::int64_t>(0, (centre - reach) / (16 * to));
    window.weights = weights.size();
    shares.clear();
    std::int64_t sum = 0;
    for (std::int64_t j = window.first; j < from; ++j) {
      const std::int64_t place = (2 * j + 1) * 8 * to;
      const std::int64_t share = reach - std::abs(place - centre);
      if (share <= 0 && place > centre) break;
      shares.push_back(std::max<std::int64_t>(share, 0));
      sum += shares.back();
    }
    window.count = static_cast<std::int64_t>(shares.size());
    // Rounded so that they sum up exactly: each gets what the running total gains.
    std::int64_t total = 0, given = 0;
    for (const std::int64_t share : shares) {
      total += share;
      const std::int64_t due = ((total << weight_bits) + sum / 2) / sum;
      weights.push_back(static_cast<std::int32_t>(due - given));
      given = due;
    }
    windows.push_back(window);
  }
}

void Resizer::resize(const Pixels& from, std::int64_t height, std::int64_t width, std::uint8_t* to) {
  if (from.height == height && from.width == width) {
    std::memcpy(to, from.data.data(), from.data.size());
    return;
  }
  const std::int64_t channels = from.channels;
  const auto row_length = static_cast<std::size_t>(width * channels);
  make_windows(from.width, from.width_eighths, width, columns_, column_weights_);
  make_windows(from.height, from.height_eighths, height, rows_, row_weights_);
  narrowed_.resize(static_cast<std::size_t>(from.height) * row_length);
  for (std::int64_t r = 0; r < from.height; ++r) {
    const std::uint8_t* row = from.data.data() + r * from.width * channels;
    std::uint16_t* narrow = narrowed_.data() + static_cast<std::size_t>(r) * row_length;
    for (const Window& window : columns_) {
      const std::int32_t* weight = column_weights_.data() + window.weights;
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::uint8_t* pixel = row + window.first * channels + c;
        std::int32_t sum = 1 << (weight_bits - between_bits - 1);
        for (std::int64_t k = 0; k < window.count; ++k) sum += weight[k] * pixel[k * channels];
        *narrow++ = static_cast<std::uint16_t>(sum >> (weight_bits - between_bits));
      }
    }
  }
  sums_.resize(row_length);
  for (const Window& window : rows_) {
    std::fill(sums_.begin(), sums_.end(), 1 << (weight_bits + between_bits - 1));
    for (std::int64_t k = 0; k < window.count; ++k) {
      const std::int32_t weight = row_weights_[window.weights + static_cast<std::size_t>(k)];
      const std::uint16_t* row = narrowed_.data() + static_cast<std::size_t>(window.first + k) * row_length;
      for (std::size_t i = 0; i < row_length; ++i) sums_[i] += weight * row[i];
    }
    for (std::size_t i = 0; i < row_length; ++i) *to++ = static_cast<std::uint8_t>(sums_[i] >> (weight_bits + between_bits));
  }
}

}  // namespace nnrun::datasets
