// What the picture decoders hand on.
#pragma once

#include <cstdint>
#include <vector>

namespace nnrun::datasets {

// Bytes (height, width, channels); 1 channel is grey, 3 are red, green, blue. Reused from picture to picture.
struct Pixels {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> data;
  // How much of the rows and columns the picture really fills, in eighths of a pixel: a JPEG of 300 rows that is decoded at an
  // eighth has 38, but fills 37.5.
  std::int64_t height_eighths = 0, width_eighths = 0;

  void resize(std::int64_t new_height, std::int64_t new_width, std::int64_t new_channels) {
    height = new_height;
    width = new_width;
    channels = new_channels;
    height_eighths = 8 * height;
    width_eighths = 8 * width;
    data.resize(static_cast<std::size_t>(height * width * channels));
  }
};

// A picture of more pixels than this is refused before any memory is taken for it.
constexpr std::int64_t greatest_pixels = std::int64_t{1} << 26;
// The longest side.
constexpr std::int64_t greatest_side = 65535;

// Rec. 601's luma, as JPEG's own; rounded.
inline std::uint8_t luma(int red, int green, int blue) {
  return static_cast<std::uint8_t>((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

}  // namespace nnrun::datasets
