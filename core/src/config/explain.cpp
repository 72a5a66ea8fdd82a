#include "config/explain.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/layer_groups.hpp"
#include "config/schema.hpp"
#include "config/sections.hpp"

namespace nnrun::core {

namespace {

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

bool is_section(const nnrun_component& component) { return std::string_view(component.kind) == "section"; }

// Columns as wide as their widest cell; the last one is not filled up.
template <std::size_t columns>
std::string aligned(const std::vector<std::array<std::string, columns>>& rows) {
  std::array<std::size_t, columns> widths = {};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < columns; ++i) {
      line += row[i];
      if (i + 1 < columns && widths[i] > 0) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string default_text(const nnrun_component& component, std::size_t index) {
  const nnrun_param& param = param_at(component, index);
  if ((param.flags & NNRUN_PARAM_REQUIRED) != 0) return "required";
  const std::string text = describe_default(component, index);
  return text.empty() ? text : "default " + text;
}

std::array<std::string, 4> param_row(const nnrun_component& component, std::size_t index) {
  const nnrun_param& param = param_at(component, index);
  const std::string range = describe_range(param);
  return {param.name, describe_type(param) + (range.empty() ? "" : ", " + range), default_text(component, index), text_or_empty(param.doc)};
}

std::string plural_of(const std::string& kind) { return kind.ends_with('s') ? kind : kind + 's'; }

std::string list_kind(const std::string& kind, const ComponentLookup& lookup) {
  std::vector<std::array<std::string, 2>> rows;
  for (const std::string& name : lookup.names(kind)) {
    const nnrun_component* component = lookup.find(kind, name);
    rows.push_back({name, component != nullptr ? text_or_empty(component->doc) : "several: write vendor/" + name});
  }
  return plural_of(kind) + ":\n" + aligned(rows);
}

std::vector<std::string> all_topics(const ComponentLookup& lookup) {
  std::vector<std::string> topics;
  for (const nnrun_component* section : all_sections()) topics.emplace_back(section->name);
  for (const std::string& kind : lookup.kinds()) {
    topics.push_back(kind);
    for (std::string& name : lookup.names(kind)) topics.push_back(std::move(name));
  }
  return topics;
}

// "train.batch": one key of a section, or of a component; "" where there is none.
std::string explain_key(std::string_view topic, const ComponentLookup& lookup) {
  const std::size_t dot = topic.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view owner = topic.substr(0, dot), key = topic.substr(dot + 1);
  const nnrun_component* component = find_section(owner.substr(owner.rfind('.') + 1));
  for (const std::string& kind : lookup.kinds()) {
    if (component == nullptr) component = lookup.find(kind, owner);
  }
  if (component == nullptr) return {};
  const std::size_t index = param_index(*component, key);
  if (index == component->param_count) return {};
  const nnrun_param& param = param_at(*component, index);
  std::string text = aligned<4>({param_row(*component, index)});
  if (param.type == type_section || param.type == type_string_or_section)
    text += '\n' + explain_component(*find_section(param.component_kind));
  if (param.component_kind != nullptr && find_section(param.component_kind) == nullptr)
    text += '\n' + list_kind(param.component_kind, lookup);
  return text;
}

std::string explain_name(std::string_view topic, const ComponentLookup& lookup) {
  std::string text;
  for (const std::string& kind : lookup.kinds()) {
    std::string_view name = topic;
    if (topic.starts_with(kind + '/')) name = topic.substr(kind.size() + 1);
    if (const nnrun_component* component = lookup.find(kind, name)) text += (text.empty() ? "" : "\n") + explain_component(*component);
  }
  return text;
}

}  // namespace

std::string explain_component(const nnrun_component& component) {
  const std::string title = is_section(component) ? std::string(component.name) : std::string(component.name) + " (" + component.kind + ")";
  std::string text = title + ": " + text_or_empty(component.doc) + '\n';
  std::vector<std::array<std::string, 4>> rows;
  for (std::size_t i = 0; i < component.param_count; ++i) rows.push_back(param_row(component, i));
  if (!rows.empty()) text += '\n' + aligned(rows);
  return text;
}

std::string explain_all(const ComponentLookup& lookup) {
  std::vector<std::array<std::string, 2>> rows;
  for (const nnrun_component* section : all_sections()) rows.push_back({section->name, text_or_empty(section->doc)});
  std::string text = "sections of a config:\n" + aligned(rows);
  for (const std::string& kind : lookup.kinds()) text += '\n' + list_kind(kind, lookup);
  return text;
}

std::string explain(std::string_view topic, const ComponentLookup& components) {
  const WithLayerGroups lookup(components);
  if (topic.empty()) return explain_all(lookup);
  if (const nnrun_component* section = find_section(topic)) return explain_component(*section);
  for (const std::string& kind : lookup.kinds()) {
    if (topic == kind || topic == plural_of(kind)) return list_kind(kind, lookup);
  }
  std::string text = explain_name(topic, lookup);
  if (text.empty()) text = explain_key(topic, lookup);
  if (!text.empty()) return text;
  auto source = std::make_shared<Source>();
  source->name = "command line";
  source->text = topic;
  source->numbered = false;
  Diagnostic error = make_error(locate(source, 0, topic.size()), "there is no section, kind or component " + quote(topic),
                                did_you_mean(topic, all_topics(lookup)));
  for (const std::string& note : lookup.notes("", topic)) error.notes.push_back(make_note({}, note));
  throw DiagnosticError(std::move(error));
}

}  // namespace nnrun::core
