// Grey pictures in the PGM format (netpbm): "P5" binary or "P2" text, width, height, the value of white, pixels.
#pragma once

#include <optional>

#include "bytes_file.hpp"

namespace nnrun::datasets {

struct GreyPicture {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  // (height, width), 255 is white
};

namespace detail {

class PgmReader {
 public:
  PgmReader(const std::string& path, std::span<const std::uint8_t> bytes) : path_(path), bytes_(bytes) {}

  GreyPicture read() {
    constexpr std::int64_t greatest_dim = 65536;
    const bool binary = bytes_[1] == '5';
    at_ = 2;
    GreyPicture picture;
    picture.width = number("width", 1, greatest_dim);
    picture.height = number("height", 1, greatest_dim);
    const std::int64_t white = number("value of white", 1, 65535);
    const std::int64_t count = picture.width * picture.height;
    const std::int64_t bytes_a_pixel = white > 255 ? 2 : 1;
    if (binary) ++at_;  // exactly one white space character
    const std::int64_t rest = std::max<std::int64_t>(static_cast<std::int64_t>(bytes_.size()) - static_cast<std::int64_t>(at_), 0);
    // In text, a pixel takes a digit and, but for the last, white space.
    const std::int64_t needed = binary ? count * bytes_a_pixel : 2 * count - 1;
    if (rest < needed) {
      throw Error(path_ + " is cut off: a picture of " + std::to_string(picture.width) + " x " + std::to_string(picture.height) +
                  " needs " + std::to_string(needed) + " bytes of pixels, got " + std::to_string(rest));
    }
    picture.pixels.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t value = 0;
      if (binary) {
        for (std::int64_t byte = 0; byte < bytes_a_pixel; ++byte) value = value * 256 + bytes_[at_++];
        if (value > white)
          throw Error(path_ + " has a pixel of " + std::to_string(value) + ", above its white of " + std::to_string(white));
      } else {
        value = number("pixel", 0, white);
      }
      picture.pixels.push_back(static_cast<std::uint8_t>((value * 255 + white / 2) / white));
    }
    return picture;
  }

 private:
  static bool is_space(std::uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  void skip_space() {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#') {
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      } else {
        ++at_;
      }
    }
  }

  std::int64_t number(const char* what, std::int64_t minimum, std::int64_t maximum) {
    skip_space();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && bytes_[at_] >= '0' && bytes_[at_] <= '9' && value <= maximum) value = value * 10 + (bytes_[at_++] - '0');
    if (at_ == begin || value < minimum || value > maximum) {
      throw Error(path_ + " is not a PGM picture that can be read: expected a " + what + " of " + std::to_string(minimum) + " to " +
                  std::to_string(maximum) + " at byte " + std::to_string(begin));
    }
    return value;
  }

  const std::string& path_;
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

}  // namespace detail

// Empty where the file is something else.
inline std::optional<GreyPicture> read_pgm(const std::string& path) {
  constexpr std::uint64_t greatest_file = 256u << 20;
  File file(path);
  std::vector<std::uint8_t> bytes(2);
  if (file.read(bytes) < 2 || bytes[0] != 'P' || (bytes[1] != '2' && bytes[1] != '5')) return std::nullopt;
  if (file.size() > greatest_file) throw Error(path + " is larger than 256 MiB: pictures of that size are not read");
  bytes.resize(static_cast<std::size_t>(std::max<std::uint64_t>(file.size(), 2)));
  bytes.resize(2 + file.read(std::span(bytes).subspan(2)));
  return detail::PgmReader(path, bytes).read();
}

}  // namespace nnrun::datasets
