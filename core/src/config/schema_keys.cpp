#include "config/schema_checks.hpp"

#include <utility>

#include "config/scalar.hpp"
#include "config/sections.hpp"

namespace nnrun::core::checks {

namespace {

std::vector<std::string> param_names(const nnrun_component& component) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < component.param_count; ++i) names.emplace_back(param_at(component, i).name);
  return names;
}

}  // namespace

std::size_t report_unknown_key(const nnrun_component& component, const std::string& path, const Node::Entry& entry, CheckContext& context) {
  std::string message;
  if (!is_section(component)) {
    message = std::string(component.name) + " has no parameter " + quote(entry.key);
  } else {
    message = (path.empty() ? "a config" : path) + " has no key " + quote(entry.key);
  }
  std::string meant = closest(entry.key, param_names(component));
  std::string suggestion = meant.empty() ? std::string() : "did you mean '" + meant + "'?";
  const std::size_t colon = entry.key.find(':');
  if (entry.value.is_null() && colon != std::string::npos && param_index(component, entry.key.substr(0, colon)) < component.param_count) {
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
         std::string(component.name) + " needs '" + param.name + "' (" + describe_type(param) + (range.empty() ? "" : ", " + range) + ")");
}

}  // namespace nnrun::core::checks
