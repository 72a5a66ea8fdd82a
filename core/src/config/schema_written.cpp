#include "config/schema_checks.hpp"

#include <algorithm>
#include <utility>

#include "config/scalar.hpp"
#include "config/sections.hpp"

namespace nnrun::core::checks {

namespace {

bool is_label(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !is_letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

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

}  // namespace

void report_unknown(std::string_view kind, const std::string& name, const Location& where, CheckContext& context) {
  const ComponentLookup& lookup = context.lookup;
  const std::vector<std::string> several = lookup.ambiguous(kind, name);
  if (!several.empty()) {
    Diagnostic error =
        make_error(where, "several plugins bring " + std::string(kind) + ' ' + quote(name), "write one of " + comma_separated(several));
    for (const std::string& note : lookup.notes(kind, name)) error.notes.push_back(make_note({}, note));
    context.errors.push_back(std::move(error));
    return;
  }
  Diagnostic error = make_error(where, "unknown " + std::string(kind) + ' ' + quote(name), did_you_mean(name, lookup.names(kind)));
  for (const std::string& note : lookup.notes(kind, name)) error.notes.push_back(make_note({}, note));
  for (const std::string& other : lookup.kinds()) {
    if (other != kind && lookup.find(other, name) != nullptr) {
      error.notes.push_back(make_note({}, quote(name) + " is " + with_article(other) + ", not " + with_article(kind)));
    }
  }
  context.errors.push_back(std::move(error));
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
               "a layer's name is made of letters, digits, '_' and '-', and starts with a letter; got " + describe_node(entry.value));
      }
    } else if (labelled && entry.key == layer_freeze_key) {
      const Parsed<bool> parsed = parse_boolean(entry.value);
      written.frozen = parsed.value.value_or(false);
      if (!parsed.value) {
        report(context, place_of(entry), "'freeze' beside a layer must be true or false, got " + describe_node(entry.value),
               parsed.suggestion);
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

}  // namespace nnrun::core::checks
