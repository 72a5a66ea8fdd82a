// Settings as text, and what differs between two of them. Both go by the tables, so that no key can be forgotten.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "config/scalar.hpp"
#include "config/sections.hpp"
#include "config/settings.hpp"

namespace nnrun::core {

namespace {

bool is_section(const nnrun_component& component) { return std::string_view(component.kind) == "section"; }

// ---- Writing ----------------------------------------------------------------------------------------------

bool is_plain(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-'; };
  if (text.empty() || (!is_letter(text[0]) && text[0] != '/' && text[0] != '.')) return false;
  if (!std::all_of(text.begin(), text.end(), is_inner)) return false;
  if (text.starts_with("...")) return false;  // would end the document
  // Words that this or another reader takes for something else than text.
  for (const std::string_view word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"}) {
    const bool same =
        std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    if (same) return false;
  }
  return true;
}

std::string text_of(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      const char* digits = "0123456789abcdef";
      quoted += "\\x";
      quoted += digits[byte >> 4];
      quoted += digits[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

template <class T, class Write>
std::string list_of(const std::vector<T>& items, Write write) {
  std::string text = "[";
  for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ", ") + write(items[i]);
  return text + ']';
}

bool in_range(const nnrun_param& param, double value) {
  if (!std::isfinite(value)) return false;
  const bool above = (param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED) != 0 ? value > param.minimum : value >= param.minimum;
  const bool below = (param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED) != 0 ? value < param.maximum : value <= param.maximum;
  return above && below;
}

template <class T>
bool list_in_range(const nnrun_param& param, const std::vector<T>& items) {
  if (items.size() < param.count_min || items.size() > param.count_max) return false;
  return std::all_of(items.begin(), items.end(), [&](T item) { return in_range(param, static_cast<double>(item)); });
}

// A default may be a value that one cannot write ("none"): then it is left out, and the reader finds it again.
bool can_be_written(const nnrun_component& owner, const nnrun_param& param, const ParamValue& value) {
  switch (param.type) {
    case NNRUN_INTEGER: return value.given || in_range(param, static_cast<double>(value.integer));
    case NNRUN_NUMBER: return value.given || in_range(param, value.number);
    case NNRUN_STRING: return !is_section(owner) || !value.string.empty();
    case NNRUN_CHOICE: return !value.string.empty();
    case NNRUN_REFERENCE: return value.given || !value.string.empty();
    case NNRUN_INTEGER_LIST: return value.given || (list_in_range(param, value.integers) && !(is_section(owner) && value.integers.empty()));
    case NNRUN_NUMBER_LIST: return value.given || list_in_range(param, value.numbers);
    case type_component_list: return &owner != &root_section() || !value.components.empty();
    case NNRUN_COMPONENT:
    case type_section:
    case type_layer_list: return !value.components.empty();
    case type_string_list: return !value.strings.empty();
    case type_string_or_section: return !value.components.empty() || !value.string.empty();
    default: return true;
  }
}

std::string flow_value(const nnrun_param& param, const ParamValue& value);

std::string flow_params(const ComponentSpec& spec) {
  std::string text;
  for (std::size_t i = 0; i < spec.values.size(); ++i) {
    const nnrun_param& param = param_at(*spec.component, i);
    if (!can_be_written(*spec.component, param, spec.values[i])) continue;
    text += (text.empty() ? "" : ", ") + text_of(param.name) + ": " + flow_value(param, spec.values[i]);
  }
  return '{' + text + '}';
}

// relu, or {dense: {units: 10}}
std::string flow_component(const ComponentSpec& spec) {
  const std::string params = flow_params(spec);
  return params == "{}" ? text_of(spec.reference) : '{' + text_of(spec.reference) + ": " + params + '}';
}

std::string flow_kernels(const ParamValue& value) {
  if (value.named.empty()) return text_of(value.string);
  std::string text = "{default: " + text_of(value.string);
  for (const NamedText& row : value.named) text += ", " + text_of(row.name) + ": " + text_of(row.text);
  return text + '}';
}

std::string flow_value(const nnrun_param& param, const ParamValue& value) {
  switch (param.type) {
    case NNRUN_BOOLEAN: return value.integer != 0 ? "true" : "false";
    case NNRUN_INTEGER: return std::to_string(value.integer);
    case NNRUN_NUMBER: return format_number(value.number);
    case NNRUN_INTEGER_LIST:
      if (!value.string.empty()) return text_of(value.string);
      return list_of(value.integers, [](std::int64_t item) { return std::to_string(item); });
    case NNRUN_NUMBER_LIST: return list_of(value.numbers, format_number);
    case NNRUN_COMPONENT: return flow_component(value.components[0]);
    case type_section: return flow_params(value.components[0]);
    case type_component_list: return list_of(value.components, flow_component);
    case type_string_list: return list_of(value.strings, [](const std::string& item) { return text_of(item); });
    case type_word_or_integer: return value.string.empty() ? std::to_string(value.integer) : text_of(value.string);
    case type_string_or_section: return value.components.empty() ? text_of(value.string) : flow_params(value.components[0]);
    case type_kernels: return flow_kernels(value);
    default: return text_of(value.string);
  }
}

std::string block_section(const ComponentSpec& section, const std::string& indent);

// One map a layer.
std::string block_layers(const std::vector<ComponentSpec>& layers, const std::string& indent) {
  std::string text;
  for (const ComponentSpec& layer : layers) {
    text += indent + "- " + text_of(layer.reference);
    if (is_layer_group(*layer.component)) {
      text += ":\n" + block_section(layer, indent + "    ");
    } else {
      const std::string params = flow_params(layer);
      text += (params == "{}" && layer.label.empty() && !layer.frozen ? "" : ": " + params) + '\n';
    }
    if (!layer.label.empty()) text += indent + "  name: " + text_of(layer.label) + '\n';
    if (layer.frozen) text += indent + "  freeze: true\n";
  }
  return text;
}

std::string block_section(const ComponentSpec& section, const std::string& indent) {
  std::string text;
  for (std::size_t i = 0; i < section.values.size(); ++i) {
    const nnrun_param& param = param_at(*section.component, i);
    const ParamValue& value = section.values[i];
    if (!can_be_written(*section.component, param, value)) continue;
    if (param.type == type_section && flow_value(param, value) == "{}") continue;
    if (param.type == type_layer_list) {
      text += indent + param.name + ":\n" + block_layers(value.components, indent + "  ");
    } else {
      text += indent + param.name + ": " + flow_value(param, value) + '\n';
    }
  }
  return text;
}

// ---- Comparing --------------------------------------------------------------------------------------------

class Comparison {
 public:
  std::vector<std::string> changed;

  void params(const ComponentSpec& a, const ComponentSpec& b) {
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      const nnrun_param& param = param_at(*a.component, i);
      const std::string path = a.path.empty() ? std::string(param.name) : a.path + '.' + param.name;
      if (differs_plainly(a.values[i], b.values[i])) {
        changed.push_back(path);
      } else {
        components(a.values[i].components, b.values[i].components, path,
                   param.type == type_component_list || param.type == type_layer_list);
      }
    }
  }

 private:
  static bool differs_plainly(const ParamValue& a, const ParamValue& b) {
    const auto same_row = [](const NamedText& x, const NamedText& y) { return x.name == y.name && x.text == y.text; };
    const bool both_nan = std::isnan(a.number) && std::isnan(b.number);  // as a default only
    return a.integer != b.integer || (a.number != b.number && !both_nan) || a.string != b.string || a.integers != b.integers ||
           a.numbers != b.numbers || a.strings != b.strings || a.components.size() != b.components.size() ||
           !std::equal(a.named.begin(), a.named.end(), b.named.begin(), b.named.end(), same_row);
  }

  void components(const std::vector<ComponentSpec>& a, const std::vector<ComponentSpec>& b, const std::string& path, bool is_list) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].component == b[i].component && a[i].label == b[i].label && a[i].frozen == b[i].frozen) {
        params(a[i], b[i]);
      } else {
        changed.push_back(is_list ? path + '[' + std::to_string(i) + ']' : path);
      }
    }
  }
};

}  // namespace

std::string write_resolved(const Settings& settings) {
  const ComponentSpec& root = settings.root;
  std::string text;
  for (std::size_t i = 0; i < root.values.size(); ++i) {
    const nnrun_param& param = param_at(*root.component, i);
    const ParamValue& value = root.values[i];
    if (!can_be_written(*root.component, param, value)) continue;
    if (param.type == type_section) {
      text += (text.empty() ? "" : "\n") + std::string(param.name) + ":\n" + block_section(value.components[0], "  ");
    } else {
      text += std::string(param.name) + ": " + flow_value(param, value) + '\n';
    }
  }
  return text;
}

std::vector<std::string> compare(const Settings& a, const Settings& b) {
  Comparison comparison;
  comparison.params(a.root, b.root);
  return comparison.changed;
}

}  // namespace nnrun::core
