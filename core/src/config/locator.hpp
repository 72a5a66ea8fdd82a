#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "config/config_text.hpp"

namespace nnrun::core {

// Turns byte offsets into locations. They come mostly in order, so it continues from the last one: counting from the
// start of the line each time would take minutes where a large file is a single line.
class Locator {
 public:
  explicit Locator(SourcePointer source) : source_(std::move(source)) {}

  Location operator()(std::size_t byte, std::size_t bytes) {
    const std::string& text = source_->text;
    byte = std::min(byte, text.size());
    if (byte < byte_) {
      byte_ = 0;
      line_ = column_ = 1;
    }
    advance(byte);
    Location where;
    where.file = source_;
    where.line = line_;
    where.column = column_;
    for (std::size_t i = byte; i < text.size() && i < byte + bytes && text[i] != '\n'; ++i) {
      if (starts_character(text[i])) ++where.length;
    }
    return where;
  }

 private:
  static bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

  void advance(std::size_t byte) {
    for (; byte_ < byte; ++byte_) {
      const char c = source_->text[byte_];
      if (c == '\n') {
        ++line_;
        column_ = 1;
      } else if (starts_character(c)) {
        ++column_;
      }
    }
  }

  SourcePointer source_;
  std::size_t byte_ = 0;
  std::uint32_t line_ = 1, column_ = 1;
};

}  // namespace nnrun::core
