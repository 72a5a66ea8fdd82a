// JPEG pictures by libjpeg-turbo.
#pragma once

#include <cstdint>
#include <span>

#include "pixels.hpp"

namespace nnrun::datasets {

// Decodes to grey (1 channel) or RGB (3). The picture may come at a half, a quarter or an eighth of its size, but with at least
// `needed_height` x `needed_width` pixels where it has so many. Returns its EXIF orientation, 1 to 8, which is not applied
// yet; the needed size is that of the picture held upright. CMYK and YCCK become RGB. Throws Error for what is no JPEG, is
// damaged or cut off, or has more than greatest_pixels; the message does not name the file.
int decode_jpeg(std::span<const std::uint8_t> bytes, std::int64_t channels, std::int64_t needed_height, std::int64_t needed_width,
                Pixels& pixels);

}  // namespace nnrun::datasets
