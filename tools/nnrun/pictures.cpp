#include "pictures.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include "../../plugins/common/png.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nnrun::tool {

namespace {

constexpr std::int64_t most_tiles = 256, largest_side = 4096;

using Colour = std::array<std::uint8_t, 3>;

std::uint8_t level(double share) {
  return std::isfinite(share) ? static_cast<std::uint8_t>(std::lround(255 * std::clamp(share, 0.0, 1.0))) : std::uint8_t{0};
}

// White at 0, blue at -1, red at 1.
Colour around_zero(double share) {
  const Colour end = share > 0 ? Colour{178, 24, 43} : Colour{33, 102, 172};
  Colour colour;
  for (std::size_t i = 0; i < 3; ++i) colour[i] = level(1 + std::min(std::abs(share), 1.0) * (end[i] / 255.0 - 1));
  return colour;
}

// Tiles of height x width numbers in rows, a pixel apart, enlarged so that each is at least about 32 pixels.
class Tiles {
 public:
  Tiles(std::int64_t count, std::int64_t height, std::int64_t width)
      : tile_height_(height), tile_width_(width), zoom_(std::max<std::int64_t>(1, 32 / std::max(height, width))) {
    columns_ =
        std::max<std::int64_t>(1, std::llround(std::ceil(std::sqrt(static_cast<double>(count * height) / static_cast<double>(width)))));
    columns_ = std::min(columns_, count);
    const std::int64_t rows = (count + columns_ - 1) / columns_;
    grid_.height = static_cast<int>(rows * (height * zoom_ + 1) + 1);
    grid_.width = static_cast<int>(columns_ * (width * zoom_ + 1) + 1);
    if (grid_.height <= largest_side && grid_.width <= largest_side) {
      grid_.pixels.assign(static_cast<std::size_t>(grid_.height * grid_.width * 3), 128);
    }
  }

  void set(std::int64_t tile, std::int64_t y, std::int64_t x, const Colour& colour) {
    if (grid_.pixels.empty()) return;
    const std::int64_t top = tile / columns_ * (tile_height_ * zoom_ + 1) + 1 + y * zoom_;
    const std::int64_t left = tile % columns_ * (tile_width_ * zoom_ + 1) + 1 + x * zoom_;
    for (std::int64_t i = 0; i < zoom_ * zoom_; ++i) {
      const std::int64_t at = ((top + i / zoom_) * grid_.width + left + i % zoom_) * 3;
      std::copy(colour.begin(), colour.end(), grid_.pixels.begin() + at);
    }
  }

  PictureGrid take() { return std::move(grid_); }

 private:
  std::int64_t tile_height_, tile_width_, zoom_, columns_ = 1;
  PictureGrid grid_;
};

struct Range {
  double least = HUGE_VAL, greatest = -HUGE_VAL;
  void add(float number) {
    if (!std::isfinite(number)) return;
    least = std::min(least, static_cast<double>(number));
    greatest = std::max(greatest, static_cast<double>(number));
  }
  double share(float number) const { return greatest > least ? (static_cast<double>(number) - least) / (greatest - least) : 0; }
};

// Three channels as colours, from the least to the greatest number.
void set_colour_tile(Tiles& tiles, std::int64_t tile, std::int64_t height, std::int64_t width, std::span<const float> numbers) {
  Range range;
  for (const float number : numbers) range.add(number);
  for (std::int64_t i = 0; i < height * width; ++i) {
    Colour colour;
    for (std::size_t c = 0; c < 3; ++c) colour[c] = level(range.share(numbers[static_cast<std::size_t>(3 * i) + c]));
    tiles.set(tile, i / width, i % width, colour);
  }
}

}  // namespace

PictureGrid filter_grid(const Shape& shape, std::span<const float> weights) {
  double greatest = 0;
  for (const float weight : weights)
    greatest = std::isfinite(weight) ? std::max(greatest, std::abs(static_cast<double>(weight))) : greatest;
  if (greatest == 0) greatest = 1;
  if (shape.size() == 2) {
    Tiles tiles(1, shape[0], shape[1]);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      tiles.set(0, at / shape[1], at % shape[1], around_zero(static_cast<double>(weights[i]) / greatest));
    }
    return tiles.take();
  }
  if (shape.size() != 4) return {};
  const std::int64_t count = std::min(shape[0], most_tiles), height = shape[1], width = shape[2], channels = shape[3];
  const auto size = static_cast<std::size_t>(height * width * channels);
  Tiles tiles(count, height, width);
  for (std::int64_t filter = 0; filter < count; ++filter) {
    const std::span<const float> numbers = weights.subspan(static_cast<std::size_t>(filter) * size, size);
    if (channels == 3) {
      set_colour_tile(tiles, filter, height, width, numbers);
      continue;
    }
    for (std::int64_t i = 0; i < height * width; ++i) {
      double mean = 0;
      for (std::int64_t c = 0; c < channels; ++c) mean += static_cast<double>(numbers[static_cast<std::size_t>(i * channels + c)]);
      tiles.set(filter, i / width, i % width, around_zero(mean / static_cast<double>(channels) / greatest));
    }
  }
  return tiles.take();
}

PictureGrid activation_grid(const Shape& shape, std::span<const float> values) {
  if (shape.size() != 2 && shape.size() != 4) return {};
  const bool row = shape.size() == 2;
  const std::int64_t height = row ? 1 : shape[1], width = row ? shape[1] : shape[2], channels = row ? 1 : shape[3];
  if (channels == 3) {
    Tiles tiles(1, height, width);
    set_colour_tile(tiles, 0, height, width, values.first(static_cast<std::size_t>(height * width * 3)));
    return tiles.take();
  }
  const std::int64_t count = std::min(channels, most_tiles);
  Tiles tiles(count, height, width);
  for (std::int64_t c = 0; c < count; ++c) {
    const auto at = [&](std::int64_t i) { return values[static_cast<std::size_t>(i * channels + c)]; };
    Range range;
    for (std::int64_t i = 0; i < height * width; ++i) range.add(at(i));
    for (std::int64_t i = 0; i < height * width; ++i) {
      const std::uint8_t grey = level(range.share(at(i)));
      tiles.set(c, i / width, i % width, {grey, grey, grey});
    }
  }
  return tiles.take();
}

void write_png(const std::filesystem::path& file, const PictureGrid& grid) {
  const std::string png = png_of(grid.pixels, grid.height, grid.width, 3);
  if (png.empty())
    throw core::RunError("cannot make a picture of " + std::to_string(grid.width) + " x " + std::to_string(grid.height) + " pixels");
  core::write_atomically(file, png);
}

}  // namespace nnrun::tool
