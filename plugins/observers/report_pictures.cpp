#include "report_pictures.hpp"

#include <algorithm>
#include <cmath>

#include "../common/png.hpp"

namespace nnrun::observers {

namespace {

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

struct Picture {
  std::int64_t height = 0, width = 0, channels = 0;  // 0: none
};

Picture picture_of(const Dims& shape) {
  Picture picture;
  if (shape.size() == 2) picture = {shape[0], shape[1], 1};
  if (shape.size() == 3 && (shape[2] == 1 || shape[2] == 3)) picture = {shape[0], shape[1], shape[2]};
  if (picture.height > 4096 || picture.width > 4096) return {};
  return picture;
}

std::string uri(const std::vector<std::uint8_t>& pixels, const Picture& picture) {
  const std::string png =
      png_of(pixels, static_cast<int>(picture.height), static_cast<int>(picture.width), static_cast<int>(picture.channels));
  return png.empty() ? "" : "data:image/png;base64," + base64(png);
}

std::uint8_t level(double share) {
  return std::isfinite(share) ? static_cast<std::uint8_t>(std::lround(255 * std::clamp(share, 0.0, 1.0))) : std::uint8_t{0};
}

std::string in_colour(std::span<const double> numbers, const Picture& picture) {
  const auto [least, greatest] = std::ranges::minmax(numbers);
  const double range = greatest > least ? greatest - least : 1;
  std::vector<std::uint8_t> pixels;
  for (const double number : numbers) pixels.push_back(level((number - least) / range));
  return uri(pixels, picture);
}

std::string around_zero(std::span<const double> numbers, const Picture& picture, double greatest) {
  std::vector<std::uint8_t> pixels;
  for (const double number : numbers) {
    const double share = greatest > 0 ? std::clamp(number / greatest, -1.0, 1.0) : 0;
    // White at 0; towards #b2182b and #2166ac.
    const double red = share > 0 ? 178 : 33, green = share > 0 ? 24 : 102, blue = share > 0 ? 43 : 172;
    for (const double end : {red, green, blue}) pixels.push_back(level(1 + std::abs(share) * (end / 255 - 1)));
  }
  return uri(pixels, {picture.height, picture.width, 3});
}

}  // namespace

std::string sample_picture(std::span<const double> sample, const Dims& shape, bool bytes) {
  const Picture picture = picture_of(shape);
  if (picture.channels == 0 || sample.empty()) return "";
  if (!bytes) return in_colour(sample, picture);
  std::vector<std::uint8_t> pixels;
  for (const double number : sample) pixels.push_back(level(number / 255));
  return uri(pixels, picture);
}

std::vector<std::string> filter_pictures(std::span<const double> weights, const Dims& shape, const Dims& input_shape, std::size_t most) {
  Picture picture;
  std::size_t count = 0;
  const bool convolution = shape.size() == 4 && shape[1] > 1 && shape[2] > 1;
  if (convolution) {
    picture = {shape[1], shape[2], shape[3]};
    count = static_cast<std::size_t>(shape[0]);
  } else if (shape.size() == 2 && picture_of(input_shape).channels > 0 && input_shape[0] > 1) {
    picture = picture_of(input_shape);
    count = static_cast<std::size_t>(shape[1]);
    if (picture.height * picture.width * picture.channels != shape[0]) return {};
  }
  const auto size = static_cast<std::size_t>(picture.height * picture.width * picture.channels);
  if (size == 0) return {};
  double greatest = 0;
  for (const double weight : weights) greatest = std::max(greatest, std::abs(weight));
  std::vector<std::string> pictures;
  for (std::size_t filter = 0; filter < std::min(count, most); ++filter) {
    std::vector<double> numbers(size);
    for (std::size_t k = 0; k < size; ++k) numbers[k] = convolution ? weights[filter * size + k] : weights[k * count + filter];
    if (picture.channels == 3) {
      pictures.push_back(in_colour(numbers, picture));
      continue;
    }
    // More channels than a picture has: their mean.
    const auto channels = static_cast<std::size_t>(picture.channels);
    std::vector<double> grey(size / channels, 0.0);
    for (std::size_t k = 0; k < size; ++k) grey[k / channels] += numbers[k] / static_cast<double>(channels);
    pictures.push_back(around_zero(grey, {picture.height, picture.width, 1}, greatest));
  }
  return pictures;
}

}  // namespace nnrun::observers
