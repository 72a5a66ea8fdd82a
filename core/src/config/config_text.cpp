#include "config/config_text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/node.hpp"

namespace nnrun::core {

namespace {

std::string hexadecimal(unsigned char byte) {
  const char* digits = "0123456789ABCDEF";
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

// Byte offset of the first sequence that is not UTF-8 (overlong forms and surrogates are not), or npos.
std::size_t find_broken_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t at = 0; at < text.size();) {
    const unsigned first = byte(at);
    const std::size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || at + length > text.size()) return at;
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return at;
    }
    if (length > 2) {
      const unsigned second = byte(at + 1);
      const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
      const bool beyond = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);
      if (overlong || beyond) return at;
    }
    at += length;
  }
  return std::string_view::npos;
}

std::string without_carriage_returns(std::string text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') result += text[i];
  }
  return result;
}

}  // namespace

Location whole_file(const SourcePointer& source) {
  Location where;
  where.file = source;
  return where;
}

SourcePointer make_source(std::string name, std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  auto source = std::make_shared<Source>();
  source->name = std::move(name);
  source->text = without_carriage_returns(std::move(text));
  return source;
}

void check_bytes(const SourcePointer& source) {
  const std::string& text = source->text;
  if (text.size() > max_config_bytes) {
    throw DiagnosticError(whole_file(source), "the file is larger than " + std::to_string(max_config_bytes >> 10) +
                                                  " KiB, which no config needs: is this the right file?");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && text[i] != '\n' && text[i] != '\t') || byte == 0x7F) {
      throw DiagnosticError(locate(source, i, 1), "control character " + hexadecimal(byte) + ": a config is plain text in UTF-8");
    }
  }
  if (const std::size_t at = find_broken_utf8(text); at != std::string_view::npos) {
    const auto byte = static_cast<unsigned char>(text[at]);
    throw DiagnosticError(locate(source, at, 1), "byte " + hexadecimal(byte) + " is not UTF-8: save the file as UTF-8");
  }
}

void check_indentation(const SourcePointer& source) {
  const std::string& text = source->text;
  std::vector<Diagnostic> errors;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t first = std::min(text.find_first_not_of(" \t", begin), end);
    const std::size_t tab = text.find('\t', begin);
    if (tab < first && first < end && text[first] != '#') {
      errors.push_back(make_error(locate(source, tab, 1), "a tab in the indentation: YAML allows only spaces there"));
      if (errors.size() == 10) break;
    }
    begin = end + 1;
  }
  if (!errors.empty()) throw DiagnosticError(std::move(errors));
}

}  // namespace nnrun::core
