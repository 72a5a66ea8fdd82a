// NumPy's .npy files: a header that says dtype and shape, then the elements. For datasets and tools; needs no NumPy.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1 to 3)
//
//     const nnrun::NpyHeader header = nnrun::parse_npy_header(bytes, "x.npy");
//     std::vector<float> values = nnrun::npy_floats(header, bytes, "x.npy");   // row-major, whatever the order in the file
#pragma once

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nnrun {

struct NpyHeader {
  char kind = 'f';              // f: floating point, i: signed, u: unsigned, b: boolean
  std::size_t item_bytes = 4;   // f: 4, 8; i and u: 1, 2, 4, 8; b: 1
  bool column_major = false;    // `fortran_order`
  Shape shape;                  // empty: a single number
  std::size_t data_offset = 0;  // of the first element in the file

  std::int64_t count() const {
    std::int64_t product = 1;
    for (const std::int64_t dim : shape) product *= dim;
    return product;
  }
  std::size_t data_bytes() const { return static_cast<std::size_t>(count()) * item_bytes; }
};

namespace detail {

// The header's text is a Python dictionary literal with three keys.
class NpyParser {
 public:
  NpyParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  NpyHeader parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        descr = true;
        if (peek() != '\'' && peek() != '"') refuse("has records of several fields; expected plain numbers");
        dtype(quoted(), header);
      } else if (key == "fortran_order" && !order) {
        order = true;
        header.column_major = word() == "True";
      } else if (key == "shape" && !shape) {
        shape = true;
        header.shape = tuple();
      } else {
        refuse("has an unknown header");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!descr || !order || !shape) refuse("has a header without dtype, order or shape");
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { throw Error(name_ + " " + why); }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse("has a damaged header");
  }
  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') refuse("has a damaged header");
    const std::size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) refuse("has a damaged header");
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }
  std::string_view word() {
    peek();
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= 'A' && text_[at_] <= 'z') ++at_;
    const std::string_view found = text_.substr(begin, at_ - begin);
    if (found != "True" && found != "False") refuse("has a damaged header");
    return found;
  }
  Shape tuple() {
    Shape shape;
    double elements = 1;
    expect('(');
    while (!accept(')')) {
      std::int64_t number = 0;
      std::size_t digits = 0;
      for (; peek() >= '0' && peek() <= '9' && digits < 12; ++digits, ++at_) number = 10 * number + (text_[at_] - '0');
      if (digits == 0 || digits == 12 || shape.size() == 32) refuse("has an impossible shape");
      shape.push_back(number);
      elements *= static_cast<double>(number);
      if (elements > 1e11) refuse("has an impossible shape");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }
  void dtype(std::string_view descr, NpyHeader& header) {
    const std::string shown(descr.substr(0, 20));
    if (descr.starts_with('>')) refuse("is big-endian (" + shown + "); write it with .astype('<f4')");
    if (descr.starts_with('<') || descr.starts_with('|') || descr.starts_with('=')) descr.remove_prefix(1);
    const bool known = descr == "f4" || descr == "f8" || descr == "i1" || descr == "i2" || descr == "i4" || descr == "i8" ||
                       descr == "u1" || descr == "u2" || descr == "u4" || descr == "u8" || descr == "b1";
    if (!known) refuse("has elements of type " + shown + ", expected numbers (f4, f8, integers or booleans); write it with .astype('<f4')");
    header.kind = descr[0];
    header.item_bytes = static_cast<std::size_t>(descr[1] - '0');
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
};

template <class T>
T npy_item(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace detail

// `start`: the file's first bytes; 64 KiB hold any header of version 1. `name`: of the file, for messages. Throws Error. Whether all
// of the elements are there is not checked: compare data_offset + data_bytes() with the file's size.
inline NpyHeader parse_npy_header(std::span<const std::byte> start, const std::string& name) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(start[i]); };
  const auto has = [&](std::size_t bytes) {
    if (start.size() < bytes) throw Error(name + " ends within its header");
  };
  if (start.size() < 8 || std::memcmp(start.data(), "\x93NUMPY", 6) != 0) throw Error(name + " is not a .npy file");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) throw Error(name + " has version " + std::to_string(version) + " of the .npy format, expected 1 to 3");
  const std::size_t text_at = version == 1 ? 10 : 12;
  has(text_at);
  const std::size_t length = version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  has(text_at + length);
  const std::string_view text(reinterpret_cast<const char*>(start.data()) + text_at, length);
  NpyHeader header = detail::NpyParser(text, name).parse();
  header.data_offset = text_at + length;
  return header;
}

// One element as a float, by its place in the file.
inline float npy_float(const NpyHeader& header, const std::byte* data, std::int64_t index) {
  const std::byte* item = data + static_cast<std::size_t>(index) * header.item_bytes;
  switch (header.kind) {
    case 'f': return header.item_bytes == 4 ? detail::npy_item<float>(item) : static_cast<float>(detail::npy_item<double>(item));
    case 'i':
      switch (header.item_bytes) {
        case 1: return static_cast<float>(detail::npy_item<std::int8_t>(item));
        case 2: return static_cast<float>(detail::npy_item<std::int16_t>(item));
        case 4: return static_cast<float>(detail::npy_item<std::int32_t>(item));
        default: return static_cast<float>(detail::npy_item<std::int64_t>(item));
      }
    default:
      switch (header.item_bytes) {
        case 1: return static_cast<float>(detail::npy_item<std::uint8_t>(item));
        case 2: return static_cast<float>(detail::npy_item<std::uint16_t>(item));
        case 4: return static_cast<float>(detail::npy_item<std::uint32_t>(item));
        default: return static_cast<float>(detail::npy_item<std::uint64_t>(item));
      }
  }
}

// All elements, row-major. `file`: the whole file. Throws Error where elements are missing.
inline std::vector<float> npy_floats(const NpyHeader& header, std::span<const std::byte> file, const std::string& name) {
  if (file.size() < header.data_offset || file.size() - header.data_offset < header.data_bytes()) {
    throw Error(name + " ends early: it has " + std::to_string(file.size()) + " bytes, its header promises " +
                std::to_string(header.data_offset + header.data_bytes()));
  }
  const std::byte* data = file.data() + header.data_offset;
  std::vector<float> values(static_cast<std::size_t>(header.count()));
  std::vector<std::int64_t> at(header.shape.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t place = static_cast<std::int64_t>(i);
    if (header.column_major) {
      place = 0;
      for (std::size_t k = header.shape.size(); k-- > 0;) place = place * header.shape[k] + at[k];
      for (std::size_t k = header.shape.size(); k-- > 0 && ++at[k] == header.shape[k];) at[k] = 0;
    }
    values[i] = npy_float(header, data, place);
  }
  return values;
}

// What goes before the elements of a row-major f32 array; its length is a multiple of 64.
inline std::string npy_header(std::span<const std::int64_t> shape) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dim : shape) text += std::to_string(dim) + ", ";
  text += "), }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace nnrun
