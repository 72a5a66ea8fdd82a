#include "config/schema.hpp"

#include <sstream>
#include <utility>

#include "config/scalar.hpp"
#include "config/schema_checks.hpp"
#include "config/sections.hpp"

namespace nnrun::core {

using namespace checks;

namespace {

constexpr std::size_t max_component_depth = 16;

std::optional<ComponentSpec> check_written(const Written& written, std::string_view kind, const std::string& path, CheckContext& context) {
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
  ComponentSpec spec =
      check_params(*component, written.params != nullptr ? *written.params : nothing, written.where, joined(path, written.name), context);
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
    report(context, written->where,
           quote(written->name) + " is a list of layers, and stands in lists of layers only; " + path + " is one layer");
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
    if (auto spec = check_item(item, target.param.component_kind, labelled, path, context)) value.components.push_back(std::move(*spec));
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
    std::string table;
    if (entry.key.find('/') == std::string::npos) {
      table = check_table(entry.value, row, context);
    } else {
      check_string(row, entry.value, context, table);  // a layer's own, eg: "avx512, Winograd"; dispatch knows these
    }
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
    case NNRUN_INTEGER: value.integer = check_integer(target, node, context, "an integer").value_or(0); break;
    case NNRUN_NUMBER: value.number = check_number(target, node, context, "a number").value_or(0); break;
    case NNRUN_STRING:
    case NNRUN_REFERENCE: check_string(target, node, context, value.string); break;
    case NNRUN_CHOICE: check_choice(target, node, context, value.string); break;
    case NNRUN_INTEGER_LIST: check_integers(target, node, context, value); break;
    case NNRUN_NUMBER_LIST:
      check_list(target, node, context, value.numbers, value,
                 [&](const Node& item) { return check_number(target, item, context, "a list of numbers"); });
      break;
    case NNRUN_COMPONENT:
      if (auto spec = check_item(node, target.param.component_kind, false, target.path, context))
        value.components.push_back(std::move(*spec));
      break;
    case type_section: check_section(target, node, context, value); break;
    case type_component_list:
    case type_layer_list: check_components(target, node, context, value); break;
    case type_string_list:
      check_list(target, node, context, value.strings, value, [&](const Node& item) {
        std::string text;
        check_string(target, item, context, text);
        return std::optional<std::string>(text);
      });
      break;
    case type_word_or_integer: check_word_or_integer(target, node, context, value); break;
    case type_string_or_section:
      if (node.is_map()) {
        check_section(target, node, context, value);
      } else {
        check_string(target, node, context, value.string);
      }
      break;
    case type_kernels: check_kernels(target, node, context, value); break;
    default: report(context, target.where, target.subject + " has a type that this nnrun does not know: the plugin is newer than nnrun");
  }
}

// ---- Defaults ---------------------------------------------------------------------------------------------

void default_component(const Target& target, const std::string& name, CheckContext& context, const std::string& path, ParamValue& value) {
  Written written;
  written.name = name;
  written.where = target.where;
  const nnrun_component* component = context.lookup.find(target.param.component_kind, name);
  if (component == nullptr) {
    Diagnostic error = make_error(
        target.where, target.subject + " is " + quote(name) + " by default, but there is no such " + target.param.component_kind);
    for (const std::string& note : context.lookup.notes(target.param.component_kind, name)) error.notes.push_back(make_note({}, note));
    context.errors.push_back(std::move(error));
    return;
  }
  if (auto spec = check_written(written, target.param.component_kind, path, context)) value.components.push_back(std::move(*spec));
}

void fill_default(const nnrun_component& component, std::size_t index, const Target& target, CheckContext& context, ParamValue& value) {
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
    case type_section: check_section(target, Node(), context, value); break;
    case type_component_list: {
      std::istringstream names(word);
      std::string name;
      while (names >> name) {
        default_component(target, name, context, target.path + '[' + std::to_string(value.components.size()) + ']', value);
      }
      break;
    }
    default: value.string = word;
  }
}

}  // namespace

std::optional<ComponentSpec> check_component(const Node& node, std::string_view kind, std::string path, CheckContext& context) {
  return check_item(node, kind, false, path, context);
}

ComponentSpec check_params(const nnrun_component& component, const Node& params, Location where, std::string path, CheckContext& context) {
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

}  // namespace nnrun::core
