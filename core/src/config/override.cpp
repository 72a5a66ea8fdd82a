#include "config/override.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "config/yaml.hpp"

namespace nnrun::core {

namespace {

Node parse_override_value(const SourcePointer& source, std::size_t begin) {
  const std::string& text = source->text;
  while (begin < text.size() && text[begin] == ' ') ++begin;
  std::size_t end = text.size();
  while (end > begin && text[end - 1] == ' ') --end;
  // Only what is marked as YAML is read as such, so that a path with ': ' or ' #' in it needs no quotes.
  if (begin < end && std::string_view("[{\"'").find(text[begin]) != std::string_view::npos) return parse_document(source, begin);
  Node node;
  node.text = text.substr(begin, end - begin);
  node.where = locate(source, begin, std::max<std::size_t>(1, end - begin));
  const bool is_null = node.text.empty() || node.text == "~" || node.text == "null" || node.text == "Null" || node.text == "NULL";
  node.kind = is_null ? Node::Kind::null : Node::Kind::scalar;
  if (is_null && node.text.empty()) node.where = locate(source, 0, text.size());
  return node;
}

// `[3]` at `at`; leaves `at` behind the bracket.
PathSegment parse_index(const SourcePointer& source, std::size_t end, std::size_t& at) {
  const std::string& text = source->text;
  const std::size_t close = text.find(']', at);
  const std::string digits = close < end ? text.substr(at + 1, close - at - 1) : std::string();
  const bool is_number =
      !digits.empty() && digits.size() <= 9 && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) {
    throw DiagnosticError(locate(source, at, std::min(close, end) - at), "an index is a number from 0 in brackets, as in model.layers[3]");
  }
  PathSegment segment;
  segment.is_index = true;
  segment.index = std::stoul(digits);
  segment.where = locate(source, at, close + 1 - at);
  at = close + 1;
  return segment;
}

}  // namespace

Override parse_override(std::string text) {
  auto command_line = std::make_shared<Source>();
  command_line->name = "command line";
  command_line->text = std::move(text);
  command_line->numbered = false;
  const SourcePointer source = command_line;
  check_bytes(source);
  if (const std::size_t newline = source->text.find('\n'); newline != std::string::npos) {
    throw DiagnosticError(locate(source, newline, 1), "an override is one line");
  }
  const std::size_t equals = source->text.find('=');
  if (equals == std::string::npos) {
    throw DiagnosticError(locate(source, 0, source->text.size()), "expected key=value, as in train.batch=32");
  }
  Override change;
  std::size_t at = 0;
  while (true) {
    const std::size_t end = std::min(source->text.find_first_of(".[]", at), equals);
    PathSegment segment;
    segment.name = source->text.substr(at, end - at);
    segment.where = locate(source, at, std::max<std::size_t>(1, end - at));
    if (segment.name.empty() || segment.name.find(' ') != std::string::npos) {
      throw DiagnosticError(segment.where, "expected a key here, as in train.batch=32");
    }
    change.path.push_back(std::move(segment));
    at = end;
    while (at < equals && source->text[at] == '[') change.path.push_back(parse_index(source, equals, at));
    if (at == equals) break;
    if (source->text[at] != '.')
      throw DiagnosticError(locate(source, at, 1), "expected '.' or '=' here, as in model.layers[3].dropout.rate=0.2");
    ++at;
  }
  if (change.path.size() > max_config_depth) {
    throw DiagnosticError(locate(source, 0, equals), "nested deeper than " + std::to_string(max_config_depth) + " levels");
  }
  change.value = parse_override_value(source, equals + 1);
  return change;
}

}  // namespace nnrun::core
