// EXIF's one number that matters for reading a picture: how the camera was held.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace nnrun::datasets {

// `segment`: the content of a JPEG's APP1. 1 to 8 as in EXIF 2.3, tag 0x0112; 1 (upright) where it is missing or makes no sense.
inline int exif_orientation(std::span<const std::uint8_t> segment) {
  constexpr std::size_t tiff_begin = 6;  // behind "Exif\0\0"
  if (segment.size() < tiff_begin + 8 || std::memcmp(segment.data(), "Exif\0\0", tiff_begin) != 0) return 1;
  const auto tiff = segment.subspan(tiff_begin);
  const bool big_endian = tiff[0] == 'M';
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint32_t{tiff[at + (big_endian ? size - 1 - i : i)]} << (8 * i);
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (directory > tiff.size() - 2) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) return 1;
    if (number(entry, 2) != 0x0112) continue;
    const std::uint32_t value = number(entry + 8, 2);
    return number(entry + 2, 2) == 3 && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace nnrun::datasets
