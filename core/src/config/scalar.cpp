#include "config/scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace nnrun::core {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// [-+] digits [. digits] [e [-+] digits], with a digit on at least one side of the point
bool is_decimal(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - begin;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::string_view without_sign(std::string_view text) { return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text; }

std::string_view sign_of(std::string_view text) { return text.starts_with('-') ? "-" : ""; }

bool has_leading_zero(std::string_view text) {
  const std::string_view digits = without_sign(text);
  return digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
}

std::string without_leading_zeros(std::string_view text) {
  const std::string_view digits = without_sign(text);
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  std::string rest(digits.substr(first));
  if (rest.empty() || !is_digit(rest[0])) rest = '0' + rest;
  return std::string(sign_of(text)) + rest;
}

// from_chars knows no '+'
std::string_view without_plus(std::string_view text) { return text.starts_with('+') ? text.substr(1) : text; }

std::optional<double> to_double(std::string_view text) {
  text = without_plus(text);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string without(std::string_view text, char unwanted) {
  std::string result(text);
  std::erase(result, unwanted);
  return result;
}

// For texts that are numbers elsewhere: why they are none here, and how to write them.
template <class T>
void explain(std::string_view text, Parsed<T>& parsed) {
  const std::string folded = lower(without_sign(text));
  const auto based = [&](int base, std::string_view name) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(folded.data() + 2, folded.data() + folded.size(), value, base);
    if (failed != std::errc() || end != folded.data() + folded.size()) return;
    parsed.reason = std::string(name) + " numbers are not read";
    parsed.suggestion = "write " + std::string(sign_of(text)) + std::to_string(value);
  };
  if (folded.starts_with("0x")) based(16, "hexadecimal");
  if (folded.starts_with("0o")) based(8, "octal");
  if (folded.starts_with("0b")) based(2, "binary");
  if (text.find('_') != std::string_view::npos && is_decimal(without(text, '_'))) {
    parsed.reason = "numbers have no '_'";
    parsed.suggestion = "write " + without(text, '_');
  }
  if (text.ends_with('%') && is_decimal(text.substr(0, text.size() - 1))) {
    if (const auto percent = to_double(text.substr(0, text.size() - 1))) parsed.suggestion = "write " + format_number(*percent / 100);
  }
  if (std::count(text.begin(), text.end(), ',') == 1) {
    std::string pointed(text);
    std::replace(pointed.begin(), pointed.end(), ',', '.');
    if (is_decimal(pointed)) {
      parsed.reason = "the decimal mark is '.'";
      parsed.suggestion = "write " + pointed;
    }
  }
  for (const std::string_view word : {".inf", ".nan", "inf", "infinity", "nan"}) {
    if (folded == word) parsed.reason = "numbers are finite";
  }
}

// Common to integers and numbers. False: settled, there is no value.
template <class T>
bool looks_decimal(const Node& node, Parsed<T>& parsed) {
  if (!node.is_scalar()) return false;
  if (node.quoted) {
    if (is_decimal(node.text)) {
      parsed.reason = "in quotes it is text";
      parsed.suggestion = "write " + node.text + " without quotes";
    }
    return false;
  }
  if (!is_decimal(node.text)) {
    explain(node.text, parsed);
    return false;
  }
  if (has_leading_zero(node.text)) {
    parsed.reason = "numbers have no leading zeros";
    parsed.suggestion = "write " + without_leading_zeros(node.text);
    return false;
  }
  return true;
}

}  // namespace

Parsed<std::int64_t> parse_integer(const Node& node) {
  Parsed<std::int64_t> parsed;
  if (!looks_decimal(node, parsed)) return parsed;
  const std::string_view text = without_plus(node.text);
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc() && end == text.data() + text.size()) {
    parsed.value = value;
    return parsed;
  }
  if (is_digits(without_sign(text))) {
    parsed.reason = "beyond 64 bits";
    return parsed;
  }
  const std::optional<double> number = to_double(text);
  constexpr double exact = 9007199254740992;  // 2^53: up to here each integer has a double of its own
  if (number && std::abs(*number) <= exact && std::trunc(*number) == *number) {
    parsed.value = static_cast<std::int64_t>(*number);
  }
  return parsed;
}

Parsed<double> parse_number(const Node& node) {
  Parsed<double> parsed;
  if (!looks_decimal(node, parsed)) return parsed;
  parsed.value = to_double(node.text);
  if (!parsed.value) parsed.reason = "too large or too small for a double";
  return parsed;
}

Parsed<bool> parse_boolean(const Node& node) {
  Parsed<bool> parsed;
  if (!node.is_scalar()) return parsed;
  if (!node.quoted && (node.text == "true" || node.text == "false")) {
    parsed.value = node.text == "true";
    return parsed;
  }
  const std::string folded = lower(node.text);
  for (const std::string_view word : {"true", "yes", "on", "y", "1"}) {
    if (folded == word) parsed.suggestion = "write true";
  }
  for (const std::string_view word : {"false", "no", "off", "n", "0"}) {
    if (folded == word) parsed.suggestion = "write false";
  }
  if (node.quoted) parsed.reason = "in quotes it is text";
  return parsed;
}

std::string format_number(double number) {
  char text[40];
  const auto [end, failed] = std::to_chars(text, text + sizeof text, number);
  return failed == std::errc() ? std::string(text, end) : std::to_string(number);
}

std::string describe_node(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return quote(node.text);
    case Node::Kind::sequence: return "a list";
    case Node::Kind::map: return "a map";
  }
  return "";
}

}  // namespace nnrun::core
