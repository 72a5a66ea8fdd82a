#include "picture.hpp"

#include "jpeg.hpp"
#include "stb.hpp"

namespace nnrun::datasets {

namespace {

bool is_jpeg(std::span<const std::uint8_t> bytes) { return bytes.size() >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff; }

// What an interrupted copy leaves.
void refuse_empty(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw Error("is empty");
}

// (height, width, channels) pixels as they should be seen, from those stored with an EXIF orientation of 2 to 8. From 5 on,
// `stored` is (width, height, channels).
void turn(const std::uint8_t* stored, int orientation, const Tensor& sample) {
  const std::int64_t height = sample.dim(0), width = sample.dim(1), channels = sample.dim(2);
  const bool on_its_side = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const std::int64_t stored_height = on_its_side ? width : height, stored_width = on_its_side ? height : width;
  auto* to = sample.data<std::uint8_t>();
  for (std::int64_t r = 0; r < height; ++r) {
    for (std::int64_t c = 0; c < width; ++c) {
      std::int64_t row = on_its_side ? c : r, column = on_its_side ? r : c;
      if (from_bottom) row = stored_height - 1 - row;
      if (from_right) column = stored_width - 1 - column;
      const std::uint8_t* from = stored + (row * stored_width + column) * channels;
      for (std::int64_t k = 0; k < channels; ++k) *to++ = from[k];
    }
  }
}

}  // namespace

void PictureReader::read(std::span<const std::uint8_t> bytes, const Tensor& sample) {
  const std::int64_t height = sample.dim(0), width = sample.dim(1), channels = sample.dim(2);
  refuse_empty(bytes);
  int orientation = 1;
  if (is_jpeg(bytes)) {
    // Twice as large as needed, so that the resizing, not the decoder, decides how sharp the picture is.
    orientation = decode_jpeg(bytes, channels, 2 * height, 2 * width, pixels_);
  } else {
    decode_stb(bytes, channels, pixels_);
  }
  if (orientation == 1) {
    resizer_.resize(pixels_, height, width, sample.data<std::uint8_t>());
    return;
  }
  turned_.resize(static_cast<std::size_t>(sample.count()));
  if (orientation >= 5) {
    resizer_.resize(pixels_, width, height, turned_.data());
  } else {
    resizer_.resize(pixels_, height, width, turned_.data());
  }
  turn(turned_.data(), orientation, sample);
}

void PictureReader::check(std::span<const std::uint8_t> bytes) {
  refuse_empty(bytes);
  if (is_jpeg(bytes)) {
    decode_jpeg(bytes, 1, 1, 1, pixels_);
  } else {
    decode_stb(bytes, 1, pixels_);
  }
}

}  // namespace nnrun::datasets
