// PNG, BMP, TGA and PNM pictures by stb_image.
#pragma once

#include <cstdint>
#include <span>

#include "pixels.hpp"

namespace nnrun::datasets {

// Decodes to grey (1 channel) or RGB (3). 16 bits a channel become their upper 8; what is transparent is laid over white. Throws
// Error for what is none of these formats, is damaged or cut off, or has more than greatest_pixels; the message does not name
// the file.
void decode_stb(std::span<const std::uint8_t> bytes, std::int64_t channels, Pixels& pixels);

}  // namespace nnrun::datasets
