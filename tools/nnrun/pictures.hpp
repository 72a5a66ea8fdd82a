// Filters and activations as one picture of tiles.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <nnrun/plugin.hpp>

namespace nnrun::tool {

struct PictureGrid {
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  // red, green, blue; empty: not a picture
};

// Weights: filters (F, K, K, C), a tile each: in colour for three channels, else their mean; (inputs, units) as one tile. Blue below 0,
// white, red above; colour tiles from their least to their greatest number.
PictureGrid filter_grid(const Shape& shape, std::span<const float> weights);
// The first sample's: (N, H, W, C), a tile a channel, or three channels as one picture; (N, F) as a row. Black to white, from the
// tile's least to its greatest number.
PictureGrid activation_grid(const Shape& shape, std::span<const float> values);

// Throws RunError.
void write_png(const std::filesystem::path& file, const PictureGrid& grid);

}  // namespace nnrun::tool
