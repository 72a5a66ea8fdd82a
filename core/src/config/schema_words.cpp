#include <cmath>

#include "config/scalar.hpp"
#include "config/schema_checks.hpp"

namespace nnrun::core {

namespace checks {

bool is_section(const nnrun_component& component) { return std::string_view(component.kind) == "section"; }

std::string joined(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : std::string(path) + '.' + std::string(name);
}

std::vector<std::string> choices_of(const nnrun_param& param) {
  std::vector<std::string> words;
  for (const char* const* word = param.choices; word != nullptr && *word != nullptr; ++word) words.emplace_back(*word);
  return words;
}

std::string comma_separated(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string with_article(std::string_view noun) {
  const bool vowel = !noun.empty() && std::string_view("aeiou").find(noun[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(noun);
}

bool in_range(const nnrun_param& param, double value) {
  const bool above = (param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED) != 0 ? value > param.minimum : value >= param.minimum;
  const bool below = (param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED) != 0 ? value < param.maximum : value <= param.maximum;
  return above && below;
}

std::string range_text(const nnrun_param& param, bool all_bounds) {
  const auto shown = [&](double bound) { return std::isfinite(bound) && (all_bounds || !is_type_limit(bound)); };
  std::string text;
  if (shown(param.minimum)) {
    text = ((param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED) != 0 ? "above " : "at least ") + format_number(param.minimum);
  }
  if (shown(param.maximum)) {
    if (!text.empty()) text += " and ";
    text += ((param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED) != 0 ? "below " : "at most ") + format_number(param.maximum);
  }
  return text;
}

}  // namespace checks

using namespace checks;

bool is_type_limit(double bound) { return std::abs(bound) >= 2147483647.0; }

std::string describe_type(const nnrun_param& param) {
  const auto counted = [&](const std::string& noun) {
    if (param.count_min == param.count_max) return "list of " + std::to_string(param.count_min) + ' ' + noun;
    return "list of " + noun;
  };
  const std::string kind = param.component_kind != nullptr ? param.component_kind : "";
  switch (param.type) {
    case NNRUN_BOOLEAN: return "true or false";
    case NNRUN_INTEGER: return "integer";
    case NNRUN_NUMBER: return "number";
    case NNRUN_STRING: return "text";
    case NNRUN_CHOICE: return "one of " + comma_separated(choices_of(param));
    case NNRUN_INTEGER_LIST:
      return param.choices == nullptr ? counted("integers") : comma_separated(choices_of(param)) + " or " + counted("integers");
    case NNRUN_NUMBER_LIST: return counted("numbers");
    case NNRUN_COMPONENT: return kind;
    case NNRUN_REFERENCE: return "name of an earlier layer";
    case type_section: return "section";
    case type_component_list:
    case type_layer_list: return "list of " + kind + 's';
    case type_string_list: return "list of paths";
    case type_word_or_integer: return comma_separated(choices_of(param)) + " or integer";
    case type_string_or_section: return "path or map";
    case type_kernels: return "table or map";
    default: return "unknown type";
  }
}

std::string describe_range(const nnrun_param& param) { return param.type == NNRUN_BOOLEAN ? std::string() : range_text(param, false); }

std::string describe_default(const nnrun_component& component, std::size_t index) {
  const nnrun_param& param = param_at(component, index);
  if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) return {};
  const nnrun_value value = default_of(component, index);
  const std::string word = value.string != nullptr ? value.string : "";
  std::string list;
  switch (param.type) {
    case NNRUN_BOOLEAN: return value.integer != 0 ? "true" : "false";
    // 0 outside of the range stands for "none": only a section does that.
    case NNRUN_INTEGER: return in_range(param, static_cast<double>(value.integer)) ? std::to_string(value.integer) : std::string();
    case NNRUN_NUMBER: {
      return in_range(param, value.number) ? format_number(value.number) : std::string();
    }
    case NNRUN_INTEGER_LIST:
      if (!word.empty()) return word;
      for (std::size_t i = 0; i < value.count; ++i) list += (i == 0 ? "" : ", ") + std::to_string(value.integers[i]);
      return value.count == 0 ? std::string() : '[' + list + ']';
    case NNRUN_NUMBER_LIST:
      for (std::size_t i = 0; i < value.count; ++i) list += (i == 0 ? "" : ", ") + format_number(value.numbers[i]);
      return value.count == 0 ? std::string() : '[' + list + ']';
    case type_component_list:
      for (const char c : word) list += c == ' ' ? std::string(", ") : std::string(1, c);
      return '[' + list + ']';
    case type_string_list: return "[]";
    case type_section: return {};
    default: return word;
  }
}

}  // namespace nnrun::core
