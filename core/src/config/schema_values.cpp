#include "config/schema_checks.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "config/scalar.hpp"

namespace nnrun::core::checks {

namespace {

std::string plural(std::size_t count, const char* noun) { return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s"); }

bool check_range(const Target& target, const Node& node, double value, CheckContext& context) {
  if (in_range(target.param, value)) return true;
  std::string range = range_text(target.param, false);
  // The limits of a C++ type are mentioned only to whom they concern.
  if (range.empty() || is_type_limit(value) || std::abs(value) > 2147483647.0) range = range_text(target.param, true);
  report(context, node.where, target.subject + " must be " + range + ", got " + (node.text.size() <= 40 ? node.text : quote(node.text)));
  return false;
}

}  // namespace

const Location& place_of(const Node::Entry& entry) {
  return entry.value.is_scalar() || entry.value.is_sequence() ? entry.value.where : entry.key_where;
}

void report(CheckContext& context, Location where, std::string message, std::string suggestion) {
  context.errors.push_back(make_error(std::move(where), std::move(message), std::move(suggestion)));
}

void report_type(CheckContext& context, const Target& target, const Node& node, std::string_view expected, const std::string& reason,
                 const std::string& suggestion) {
  std::string message = target.subject + " must be " + std::string(expected) + ", got " + describe_node(node);
  if (!reason.empty()) message += ": " + reason;
  report(context, node.is_scalar() || node.is_sequence() ? node.where : target.where, std::move(message), suggestion);
}

std::optional<std::int64_t> check_integer(const Target& target, const Node& node, CheckContext& context, std::string_view expected) {
  const Parsed<std::int64_t> parsed = parse_integer(node);
  if (!parsed.value) {
    report_type(context, target, node, expected, parsed.reason, parsed.suggestion);
    return std::nullopt;
  }
  if (!check_range(target, node, static_cast<double>(*parsed.value), context)) return std::nullopt;
  return parsed.value;
}

std::optional<double> check_number(const Target& target, const Node& node, CheckContext& context, std::string_view expected) {
  const Parsed<double> parsed = parse_number(node);
  if (!parsed.value) {
    report_type(context, target, node, expected, parsed.reason, parsed.suggestion);
    return std::nullopt;
  }
  if (!check_range(target, node, *parsed.value, context)) return std::nullopt;
  return parsed.value;
}

bool check_count(const Target& target, const Node& node, std::size_t count, CheckContext& context) {
  const std::size_t minimum = target.param.count_min, maximum = target.param.count_max;
  if (count >= minimum && count <= maximum) return true;
  std::string expected = minimum == maximum ? plural(minimum, "item")
                         : count < minimum  ? "at least " + plural(minimum, "item")
                                            : "at most " + plural(maximum, "item");
  report(context, node.is_sequence() ? node.where : target.where,
         target.subject + " must have " + expected + ", got " + std::to_string(count));
  return false;
}

std::span<const Node> items_of(const Node& node) {
  if (node.is_sequence()) return node.items;
  return {&node, 1};
}

void check_string(const Target& target, const Node& node, CheckContext& context, std::string& value) {
  if (node.is_scalar()) {
    value = node.text;
  } else {
    report_type(context, target, node, "text");
  }
}

void check_choice(const Target& target, const Node& node, CheckContext& context, std::string& value) {
  const std::vector<std::string> words = choices_of(target.param);
  if (node.is_scalar() && std::find(words.begin(), words.end(), node.text) != words.end()) {
    value = node.text;
    return;
  }
  report_type(context, target, node, "one of " + comma_separated(words), "", node.is_scalar() ? did_you_mean(node.text, words) : "");
}

void check_word_or_integer(const Target& target, const Node& node, CheckContext& context, ParamValue& value) {
  const std::vector<std::string> words = choices_of(target.param);
  if (node.is_scalar() && std::find(words.begin(), words.end(), node.text) != words.end()) {
    value.string = node.text;
    return;
  }
  const std::string expected = comma_separated(words) + " or an integer";
  if (const auto integer = check_integer(target, node, context, expected)) value.integer = *integer;
}

void check_integers(const Target& target, const Node& node, CheckContext& context, ParamValue& value) {
  const std::vector<std::string> words = choices_of(target.param);
  if (words.empty()) {
    check_list(target, node, context, value.integers, value,
               [&](const Node& item) { return check_integer(target, item, context, "a list of integers"); });
    return;
  }
  if (node.is_scalar() && std::find(words.begin(), words.end(), node.text) != words.end()) {
    value.string = node.text;
    return;
  }
  const std::string suggestion = node.is_scalar() ? did_you_mean(node.text, words) : std::string();
  if (!suggestion.empty()) {
    report_type(context, target, node, comma_separated(words) + " or integers", "", suggestion);
    return;
  }
  check_list(target, node, context, value.integers, value,
             [&](const Node& item) { return check_integer(target, item, context, comma_separated(words) + " or integers"); });
}

}  // namespace nnrun::core::checks
