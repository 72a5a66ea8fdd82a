#include "schema.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <utility>

#include "scalar.hpp"
#include "sections.hpp"

namespace nnrun::core {

namespace {

constexpr std::size_t max_component_depth = 16;

bool is_section(const nnrun_component& component) { return std::string_view(component.kind) == "section"; }

std::string joined(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : std::string(path) + '.' + std::string(name);
}

std::vector<std::string> param_names(const nnrun_component& component) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < component.param_count; ++i) names.emplace_back(param_at(component, i).name);
  return names;
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

std::string plural(std::size_t count, const char* noun) { return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s"); }

// A value of a block map starts at its first key; the key that holds it says more.
const Location& place_of(const Node::Entry& entry) {
  return entry.value.is_scalar() || entry.value.is_sequence() ? entry.value.where : entry.key_where;
}

// One parameter, with what is needed to report on it.
struct Target {
  const nnrun_param& param;
  std::string subject;  // in messages, eg: "dense.units"
  std::string path;     // eg: "model.layers[3].dense.units"
  Location where;       // of the value; of the key where it is a map
};

void report(CheckContext& context, Location where, std::string message, std::string suggestion = {}) {
  context.errors.push_back(make_error(std::move(where), std::move(message), std::move(suggestion)));
}

void report_type(CheckContext& context, const Target& target, const Node& node, std::string_view expected,
                 const std::string& reason = {}, const std::string& suggestion = {}) {
  std::string message = target.subject + " must be " + std::string(expected) + ", got " + describe_node(node);
  if (!reason.empty()) message += ": " + reason;
  report(context, node.is_scalar() || node.is_sequence() ? node.where : target.where, std::move(message), suggestion);
}

// ---- Plain values -----------------------------------------------------------------------------------------

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

bool check_range(const Target& target, const Node& node, double value, CheckContext& context) {
  if (in_range(target.param, value)) return true;
  std::string range = range_text(target.param, false);
  // The limits of a C++ type are mentioned only to whom they concern.
  if (range.empty() || is_type_limit(value) || std::abs(value) > 2147483647.0) range = range_text(target.param, true);
  report(context, node.where,
         target.subject + " must be " + range + ", got " + (node.text.size() <= 40 ? node.text : quote(node.text)));
  return false;
}

std::optional<std::int64_t> check_integer(const Target& target, const Node& node, CheckContext& context,
                                          std::string_view expected) {
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

// The items of a list, where a single value is read as a list of one.
std::span<const Node> items_of(const Node& node) {
  if (node.is_sequence()) return node.items;
  return {&node, 1};
}

template <class T, class CheckItem>
void check_list(const Target& target, const Node& node, CheckContext& context, std::vector<T>& values, ParamValue& value,
                CheckItem check_item) {
  for (const Node& item : items_of(node)) {
    if (const auto checked = check_item(item)) values.push_back(static_cast<T>(*checked));
    value.item_locations.push_back(item.where);
  }
  check_count(target, node, items_of(node).size(), context);
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
  report_type(context, target, node, "one of " + comma_separated(words), "",
              node.is_scalar() ? did_you_mean(node.text, words) : "");
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

// ---- Components -------------------------------------------------------------------------------------------

void report_unknown(std::string_view kind, const std::string& name, const Location& where, CheckContext& context) {
  const ComponentLookup& lookup = context.lookup;
  const std::vector<std::string> several = lookup.ambiguous(kind, name);
  if (!several.empty()) {
    Diagnostic error = make_error(where, "several plugins bring " + std::string(kind) + ' ' + quote(name),
                                  "write one of " + comma_separated(several));
    for (const std::string& note : lookup.notes(kind, name)) error.notes.push_back(make_note({}, note));
    context.errors.push_back(std::move(error));
    return;
  }
  Diagnostic error =
      make_error(where, "unknown " + std::string(kind) + ' ' + quote(name), did_you_mean(name, lookup.names(kind)));
  for (const std::string& note : lookup.notes(kind, name)) error.notes.push_back(make_note({}, note));
  for (const std::string& other : lookup.kinds()) {
    if (other != kind && lookup.find(other, name) != nullptr) {
      error.notes.push_back(make_note({}, quote(name) + " is " + with_article(other) + ", not " + with_article(kind)));
    }
  }
  context.errors.push_back(std::move(error));
}

bool is_label(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !is_letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

// A component as it stands in the config, before its name is looked up.
struct Written {
  std::string name;
  Location where;
  const Node* params = nullptr;  // NULL: a name alone
  std::string label;
  Location label_where;
  bool frozen = false;
};

// Two keys where one component was expected: mostly parameters that are indented too little.
void report_two_keys(const Node::Entry& first, const Node::Entry& second, std::string_view kind, CheckContext& context) {
  const nnrun_component* component = context.lookup.find(kind, first.key);
  if (component != nullptr && param_index(*component, second.key) < component->param_count) {
    const std::string value = second.value.is_scalar() && second.value.text.size() < 40 ? second.value.text : "...";
    report(context, second.key_where, quote(second.key) + " is a parameter of " + first.key + ", but stands beside it",
           "write " + first.key + ": {" + second.key + ": " + value + "}");
    return;
  }
  report(context, second.key_where,
         "expected one " + std::string(kind) + ", got " + quote(first.key) + " and " + quote(second.key) + " in one map",
         kind == "layer" ? "each layer starts with '-'" : "");
}

std::optional<Written> read_component(const Node& node, std::string_view kind, bool labelled, const std::string& path,
                                      CheckContext& context) {
  Written written;
  if (node.is_scalar()) {
    written.name = node.text;
    written.where = node.where;
    return written;
  }
  if (!node.is_map()) {
    report(context, node.where, path + " must be " + with_article(kind) + ", got " + describe_node(node),
           node.is_sequence() ? "" : "write a name, or {name: {...}}");
    return std::nullopt;
  }
  const Node::Entry* component = nullptr;
  for (const Node::Entry& entry : node.entries) {
    if (labelled && entry.key == layer_label_key) {
      written.label_where = place_of(entry);
      if (entry.value.is_scalar() && is_label(entry.value.text)) {
        written.label = entry.value.text;
      } else {
        report(context, written.label_where,
               "a layer's name is made of letters, digits, '_' and '-', and starts with a letter; got " +
                   describe_node(entry.value));
      }
    } else if (labelled && entry.key == layer_freeze_key) {
      const Parsed<bool> parsed = parse_boolean(entry.value);
      written.frozen = parsed.value.value_or(false);
      if (!parsed.value) {
        report(context, place_of(entry), "'freeze' beside a layer must be true or false, got " + describe_node(entry.value), parsed.suggestion);
      }
    } else if (component == nullptr) {
      component = &entry;
    } else {
      report_two_keys(*component, entry, kind, context);
      return std::nullopt;
    }
  }
  if (component == nullptr) {
    report(context, node.where,
           path + " must be " + with_article(kind) + ", got " + (node.entries.empty() ? "an empty map" : "only its name"));
    return std::nullopt;
  }
  written.name = component->key;
  written.where = component->key_where;
  written.params = &component->value;
  return written;
}

std::optional<ComponentSpec> check_written(const Written& written, std::string_view kind, const std::string& path,
                                           CheckContext& context) {
  const nnrun_component* component = context.lookup.find(kind, written.name);
  if (component == nullptr) {
    report_unknown(kind, written.name, written.where, context);
    return std::nullopt;
  }
  if (context.depth >= max_component_depth) {
    report(context, written.where, "components are nested deeper than " + std::to_string(max_component_depth) + " levels");
    return std::nullopt;
  }
  ++context.depth;
  const Node nothing;
  ComponentSpec spec = check_params(*component, written.params != nullptr ? *written.params : nothing, written.where,
                                    joined(path, written.name), context);
  --context.depth;
  spec.reference = written.name;
  spec.label = written.label;
  spec.label_where = written.label_where;
  spec.frozen = written.frozen;
  return spec;
}

std::optional<ComponentSpec> check_item(const Node& node, std::string_view kind, bool labelled, const std::string& path,
                                        CheckContext& context) {
  const std::optional<Written> written = read_component(node, kind, labelled, path, context);
  if (!written) return std::nullopt;
  if (!labelled && kind == "layer" && find_layer_group(written->name) != nullptr) {
    report(context, written->where, quote(written->name) + " is a list of layers, and stands in lists of layers only; " + path + " is one layer");
    return std::nullopt;
  }
  return check_written(*written, kind, path, context);
}

void check_components(const Target& target, const Node& node, CheckContext& context, ParamValue& value) {
  const bool labelled = target.param.type == type_layer_list;
  if (!node.is_sequence() && (labelled || node.is_null())) {
    report_type(context, target, node, "a list", "", labelled ? "each layer starts with '-'" : "");
    return;
  }
  std::size_t index = 0;
  for (const Node& item : items_of(node)) {
    const std::string path = target.path + '[' + std::to_string(index++) + ']';
    if (auto spec = check_item(item, target.param.component_kind, labelled, path, context))
      value.components.push_back(std::move(*spec));
    value.item_locations.push_back(item.where);
  }
  check_count(target, node, items_of(node).size(), context);
}

std::string check_table(const Node& node, const Target& target, CheckContext& context) {
  if (!node.is_scalar()) {
    report_type(context, target, node, "auto or the name of a kernel table");
    return "auto";
  }
  if (node.text != "auto" && context.lookup.find(target.param.component_kind, node.text) == nullptr) {
    report_unknown(target.param.component_kind, node.text, node.where, context);
  }
  return node.text;
}

void check_kernels(const Target& target, const Node& node, CheckContext& context, ParamValue& value) {
  value.string = "auto";
  if (!node.is_map()) {
    value.string = check_table(node, target, context);
    return;
  }
  for (const Node::Entry& entry : node.entries) {
    const Target row = {target.param, target.subject + '.' + entry.key, target.path + '.' + entry.key, place_of(entry)};
    std::string table = check_table(entry.value, row, context);
    if (entry.key == "default") {
      value.string = std::move(table);
    } else {
      value.named.push_back({entry.key, std::move(table), place_of(entry)});
    }
  }
}

void check_section(const Target& target, const Node& node, CheckContext& context, ParamValue& value) {
  value.components.push_back(check_params(*find_section(target.param.component_kind), node, target.where, target.path, context));
}

void check_value(const Target& target, const Node& node, CheckContext& context, ParamValue& value) {
  switch (target.param.type) {
    case NNRUN_BOOLEAN: {
      const Parsed<bool> parsed = parse_boolean(node);
      if (!parsed.value) report_type(context, target, node, "true or false", parsed.reason, parsed.suggestion);
      value.integer = parsed.value.value_or(false) ? 1 : 0;
      break;
    }
    case NNRUN_INTEGER:
      value.integer = check_integer(target, node, context, "an integer").value_or(0);
      break;
    case NNRUN_NUMBER:
      value.number = check_number(target, node, context, "a number").value_or(0);
      break;
    case NNRUN_STRING:
    case NNRUN_REFERENCE:
      check_string(target, node, context, value.string);
      break;
    case NNRUN_CHOICE:
      check_choice(target, node, context, value.string);
      break;
    case NNRUN_INTEGER_LIST:
      check_integers(target, node, context, value);
      break;
    case NNRUN_NUMBER_LIST:
      check_list(target, node, context, value.numbers, value,
                 [&](const Node& item) { return check_number(target, item, context, "a list of numbers"); });
      break;
    case NNRUN_COMPONENT:
      if (auto spec = check_item(node, target.param.component_kind, false, target.path, context))
        value.components.push_back(std::move(*spec));
      break;
    case type_section:
      check_section(target, node, context, value);
      break;
    case type_component_list:
    case type_layer_list:
      check_components(target, node, context, value);
      break;
    case type_string_list:
      check_list(target, node, context, value.strings, value, [&](const Node& item) {
        std::string text;
        check_string(target, item, context, text);
        return std::optional<std::string>(text);
      });
      break;
    case type_word_or_integer:
      check_word_or_integer(target, node, context, value);
      break;
    case type_string_or_section:
      if (node.is_map()) {
        check_section(target, node, context, value);
      } else {
        check_string(target, node, context, value.string);
      }
      break;
    case type_kernels:
      check_kernels(target, node, context, value);
      break;
    default:
      report(context, target.where, target.subject + " has a type that this nnrun does not know: the plugin is newer than nnrun");
  }
}

// ---- Defaults ---------------------------------------------------------------------------------------------

void default_component(const Target& target, const std::string& name, CheckContext& context, const std::string& path,
                       ParamValue& value) {
  Written written;
  written.name = name;
  written.where = target.where;
  const nnrun_component* component = context.lookup.find(target.param.component_kind, name);
  if (component == nullptr) {
    Diagnostic error = make_error(
        target.where, target.subject + " is " + quote(name) + " by default, but there is no such " + target.param.component_kind);
    for (const std::string& note : context.lookup.notes(target.param.component_kind, name))
      error.notes.push_back(make_note({}, note));
    context.errors.push_back(std::move(error));
    return;
  }
  if (auto spec = check_written(written, target.param.component_kind, path, context))
    value.components.push_back(std::move(*spec));
}

void fill_default(const nnrun_component& component, std::size_t index, const Target& target, CheckContext& context,
                  ParamValue& value) {
  const nnrun_value from = default_of(component, index);
  const std::string word = from.string != nullptr ? from.string : "";
  value.integer = from.integer;
  value.number = from.number;
  switch (target.param.type) {
    case NNRUN_INTEGER_LIST:
      if (from.integers != nullptr) value.integers.assign(from.integers, from.integers + from.count);
      value.string = word;
      break;
    case NNRUN_NUMBER_LIST:
      if (from.numbers != nullptr) value.numbers.assign(from.numbers, from.numbers + from.count);
      break;
    case NNRUN_COMPONENT:
      if (!word.empty()) default_component(target, word, context, target.path, value);
      break;
    case type_section:
      check_section(target, Node(), context, value);
      break;
    case type_component_list: {
      std::istringstream names(word);
      std::string name;
      while (names >> name) {
        default_component(target, name, context, target.path + '[' + std::to_string(value.components.size()) + ']', value);
      }
      break;
    }
    default:
      value.string = word;
  }
}

// ---- Keys -------------------------------------------------------------------------------------------------

// Returns the index of the parameter that was meant, or param_count.
std::size_t report_unknown_key(const nnrun_component& component, const std::string& path, const Node::Entry& entry,
                               CheckContext& context) {
  std::string message;
  if (!is_section(component)) {
    message = std::string(component.name) + " has no parameter " + quote(entry.key);
  } else {
    message = (path.empty() ? "a config" : path) + " has no key " + quote(entry.key);
  }
  std::string meant = closest(entry.key, param_names(component));
  std::string suggestion = meant.empty() ? std::string() : "did you mean '" + meant + "'?";
  const std::size_t colon = entry.key.find(':');
  if (entry.value.is_null() && colon != std::string::npos &&
      param_index(component, entry.key.substr(0, colon)) < component.param_count) {
    meant = entry.key.substr(0, colon);
    suggestion = "write '" + meant + ": " + entry.key.substr(colon + 1) + "', with a space";
  }
  if (component.param_count == 0) message += ": it has none";
  report(context, entry.key_where, std::move(message), std::move(suggestion));
  return param_index(component, meant);
}

void report_not_a_map(const nnrun_component& component, const Node& params, const std::string& path, CheckContext& context) {
  const std::string name = is_section(component) ? (path.empty() ? "a config" : path) : component.name;
  std::string suggestion;
  const std::size_t colon = params.is_scalar() ? params.text.find(':') : std::string::npos;
  if (colon != std::string::npos && param_index(component, params.text.substr(0, colon)) < component.param_count) {
    suggestion = "write '" + params.text.substr(0, colon) + ": " + params.text.substr(colon + 1) + "', with a space";
  } else if (!is_section(component) && params.is_scalar() && component.param_count > 0) {
    suggestion = "write " + name + ": {" + param_at(component, 0).name + ": " + params.text.substr(0, 40) + "}";
  } else if (params.is_sequence() && is_layer_group(component)) {
    suggestion = "the list belongs under 'layers:' in it";
  }
  const std::string what = is_section(component) ? " must be a map of keys, got " : " takes its parameters as a map, got ";
  report(context, params.where, name + what + describe_node(params), std::move(suggestion));
}

void report_missing(const nnrun_component& component, const nnrun_param& param, const std::string& path, const Location& where,
                    CheckContext& context) {
  if (is_section(component)) {
    report(context, where, "the config needs '" + joined(path, param.name) + "', which is " + with_article(describe_type(param)));
    return;
  }
  const std::string range = describe_range(param);
  report(context, where,
         std::string(component.name) + " needs '" + param.name + "' (" + describe_type(param) +
             (range.empty() ? "" : ", " + range) + ")");
}

}  // namespace

// ---- Public -----------------------------------------------------------------------------------------------

const ParamValue* ComponentSpec::value(std::string_view param) const {
  const std::size_t index = param_index(*component, param);
  return index < values.size() ? &values[index] : nullptr;
}

const Location& ComponentSpec::location_of(std::string_view param) const {
  const std::size_t index = param.empty() ? component->param_count : param_index(*component, param);
  return index < param_locations.size() ? param_locations[index] : where;
}

const nnrun_param& param_at(const nnrun_component& component, std::size_t index) {
  // A plugin made for an older border has smaller rows.
  const std::size_t stride = component.params[0].size != 0 ? component.params[0].size : sizeof(nnrun_param);
  const auto* bytes = reinterpret_cast<const std::byte*>(component.params);
  return *reinterpret_cast<const nnrun_param*>(bytes + index * stride);
}

std::size_t param_index(const nnrun_component& component, std::string_view name) {
  std::size_t index = 0;
  while (index < component.param_count && name != param_at(component, index).name) ++index;
  return index;
}

nnrun_value default_of(const nnrun_component& component, std::size_t index) {
  nnrun_value value = {};
  const bool is_required = (param_at(component, index).flags & NNRUN_PARAM_REQUIRED) != 0;
  if (component.get_default != nullptr && !is_required) component.get_default(index, &value);
  return value;
}

std::optional<ComponentSpec> check_component(const Node& node, std::string_view kind, std::string path, CheckContext& context) {
  return check_item(node, kind, false, path, context);
}

ComponentSpec check_params(const nnrun_component& component, const Node& params, Location where, std::string path,
                           CheckContext& context) {
  ComponentSpec spec;
  spec.component = &component;
  spec.reference = component.name;
  spec.where = where;
  spec.path = path;
  spec.values.resize(component.param_count);
  spec.param_locations.assign(component.param_count, where);
  const auto subject = [&](const char* name) { return joined(is_section(component) ? path : component.name, name); };
  std::vector<bool> seen(component.param_count, false);
  if (!params.is_map() && !params.is_null()) {
    report_not_a_map(component, params, path, context);
    seen.assign(component.param_count, true);  // what it needs may be in there
  }
  for (const Node::Entry& entry : params.entries) {
    std::size_t index = param_index(component, entry.key);
    const bool is_unknown = index == component.param_count;
    if (is_unknown) {
      index = report_unknown_key(component, path, entry, context);
      // To go on as if it were spelled right avoids a second message that the right one is missing.
      if (index == component.param_count || params.find(param_at(component, index).name) != nullptr) continue;
    }
    const nnrun_param& param = param_at(component, index);
    if (is_unknown && param.type != type_section) {
      seen[index] = spec.values[index].given = true;
      continue;
    }
    if (seen[index]) continue;  // two misspellings of one section
    spec.param_locations[index] = place_of(entry);
    const Target target = {param, subject(param.name), joined(path, param.name), place_of(entry)};
    const bool may_be_empty = param.type == type_section;
    if (entry.value.is_null() && !entry.value.text.empty()) continue;  // null: as if it was not there
    seen[index] = true;
    if (entry.value.is_null() && !may_be_empty) {
      report(context, target.where, target.subject + " has no value");
      continue;
    }
    spec.values[index].given = true;
    check_value(target, entry.value, context, spec.values[index]);
  }
  for (std::size_t index = 0; index < component.param_count; ++index) {
    if (seen[index]) continue;
    const nnrun_param& param = param_at(component, index);
    if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) {
      report_missing(component, param, path, where, context);
    } else {
      fill_default(component, index, {param, subject(param.name), joined(path, param.name), where}, context, spec.values[index]);
    }
  }
  return spec;
}

std::vector<nnrun_value> make_values(const ComponentSpec& spec,
                                     const std::function<nnrun_component_handle(const ComponentSpec&)>& instantiate) {
  std::vector<nnrun_value> values(spec.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const ParamValue& from = spec.values[i];
    nnrun_value& to = values[i];
    to = {};
    switch (param_at(*spec.component, i).type) {
      case NNRUN_BOOLEAN:
      case NNRUN_INTEGER:
        to.integer = from.integer;
        break;
      case NNRUN_NUMBER:
        to.number = from.number;
        break;
      case NNRUN_INTEGER_LIST:
        to.integers = from.integers.data();
        to.count = from.integers.size();
        to.string = from.string.c_str();
        break;
      case NNRUN_NUMBER_LIST:
        to.numbers = from.numbers.data();
        to.count = from.numbers.size();
        break;
      case NNRUN_COMPONENT:
        if (!from.components.empty()) to.component = instantiate(from.components[0]);
        break;
      default:
        to.string = from.string.c_str();
    }
  }
  return values;
}

bool is_type_limit(double bound) { return std::abs(bound) >= 2147483647.0; }

std::string describe_type(const nnrun_param& param) {
  const auto counted = [&](const std::string& noun) {
    if (param.count_min == param.count_max) return "list of " + std::to_string(param.count_min) + ' ' + noun;
    return "list of " + noun;
  };
  const std::string kind = param.component_kind != nullptr ? param.component_kind : "";
  switch (param.type) {
    case NNRUN_BOOLEAN:
      return "true or false";
    case NNRUN_INTEGER:
      return "integer";
    case NNRUN_NUMBER:
      return "number";
    case NNRUN_STRING:
      return "text";
    case NNRUN_CHOICE:
      return "one of " + comma_separated(choices_of(param));
    case NNRUN_INTEGER_LIST:
      return param.choices == nullptr ? counted("integers") : comma_separated(choices_of(param)) + " or " + counted("integers");
    case NNRUN_NUMBER_LIST:
      return counted("numbers");
    case NNRUN_COMPONENT:
      return kind;
    case NNRUN_REFERENCE:
      return "name of an earlier layer";
    case type_section:
      return "section";
    case type_component_list:
    case type_layer_list:
      return "list of " + kind + 's';
    case type_string_list:
      return "list of paths";
    case type_word_or_integer:
      return comma_separated(choices_of(param)) + " or integer";
    case type_string_or_section:
      return "path or map";
    case type_kernels:
      return "table or map";
    default:
      return "unknown type";
  }
}

std::string describe_range(const nnrun_param& param) {
  return param.type == NNRUN_BOOLEAN ? std::string() : range_text(param, false);
}

std::string describe_default(const nnrun_component& component, std::size_t index) {
  const nnrun_param& param = param_at(component, index);
  if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) return {};
  const nnrun_value value = default_of(component, index);
  const std::string word = value.string != nullptr ? value.string : "";
  std::string list;
  switch (param.type) {
    case NNRUN_BOOLEAN:
      return value.integer != 0 ? "true" : "false";
    // 0 outside of the range stands for "none": only a section does that.
    case NNRUN_INTEGER:
      return in_range(param, static_cast<double>(value.integer)) ? std::to_string(value.integer) : std::string();
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
    case type_string_list:
      return "[]";
    case type_section:
      return {};
    default:
      return word;
  }
}

}  // namespace nnrun::core
