// Pictures as PNG bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace nnrun {

// `pixels`: height x width x channels; 1: grey, 3: red, green, blue. "" where it cannot be done.
std::string png_of(std::span<const std::uint8_t> pixels, int height, int width, int channels);

}  // namespace nnrun
