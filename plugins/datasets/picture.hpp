// One picture of any format and size, as a sample.
#pragma once

#include <cstdint>
#include <nnrun/plugin.hpp>
#include <span>
#include <string>
#include <vector>

#include "pixels.hpp"
#include "resize.hpp"

namespace nnrun::datasets {

// Reads pictures one after the other; its memory is used again. One a thread.
class PictureReader {
 public:
  // Decodes `bytes`, turns the picture as its EXIF orientation says, and resizes it to `sample`: u8 (height, width, channels), with
  // 1 channel (grey) or 3 (RGB). The whole picture, its sides stretched as needed. Throws Error; the message does not name the
  // file.
  void read(std::span<const std::uint8_t> bytes, const Tensor& sample);

  // Throws as read() would, in less time.
  void check(std::span<const std::uint8_t> bytes);

 private:
  Pixels pixels_;
  Resizer resizer_;
  std::vector<std::uint8_t> turned_;
};

}  // namespace nnrun::datasets
