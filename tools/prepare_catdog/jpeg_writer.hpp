// JPEG pictures, written by libjpeg-turbo.
#pragma once

#include <cstdint>
#include <vector>

namespace nnrun::catdog {

// A baseline JPEG of (height, width, 3) RGB bytes, with 4:2:0 chroma; the same bytes everywhere. `quality`: 1 to 100.
std::vector<std::uint8_t> encode_jpeg(const std::uint8_t* pixels, int height, int width, int quality);

}  // namespace nnrun::catdog
