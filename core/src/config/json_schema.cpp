#include "config/json_schema.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/layer_groups.hpp"
#include "config/schema.hpp"
#include "config/sections.hpp"

namespace nnrun::core {

namespace {

using Json = nlohmann::ordered_json;

Json reference(const std::string& definition) { return {{"$ref", "#/$defs/" + definition}}; }

// In $defs: "layer" is any layer, as a name or a map; "layer:dense" the parameters of one.
std::string definition_of(std::string_view kind, std::string_view name) { return std::string(kind) + ':' + std::string(name); }

class Writer {
 public:
  explicit Writer(const ComponentLookup& lookup) : lookup_(lookup) {}

  Json write() {
    Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "nnrun config"}};
    schema.update(object(root_section()));
    Json definitions = Json::object();
    for (const nnrun_component* section : all_sections()) {
      if (section != &root_section()) definitions[definition_of("section", section->name)] = object(*section);
    }
    for (const std::string& kind : lookup_.kinds()) define_kind(kind, definitions);
    definitions["labelled_layer"] = any_component("layer", true);
    schema["$defs"] = std::move(definitions);
    return schema;
  }

 private:
  void define_kind(const std::string& kind, Json& definitions) {
    for (const std::string& name : lookup_.names(kind)) {
      if (const nnrun_component* component = lookup_.find(kind, name)) definitions[definition_of(kind, name)] = object(*component);
    }
    definitions[kind] = any_component(kind, false);
  }

  static bool has_required(const nnrun_component& component) {
    for (std::size_t i = 0; i < component.param_count; ++i) {
      if ((param_at(component, i).flags & NNRUN_PARAM_REQUIRED) != 0) return true;
    }
    return false;
  }

  // A name alone where it needs no parameters, or a map with exactly one key.
  Json any_component(const std::string& kind, bool labelled) {
    Json choices = Json::array();
    Json names = Json::array();
    for (const std::string& name : lookup_.names(kind)) {
      const nnrun_component* component = lookup_.find(kind, name);
      if (component == nullptr) continue;
      if (!has_required(*component)) names.push_back(name);
      Json map = {{"type", "object"}, {"additionalProperties", false}, {"required", Json::array({name})}};
      map["properties"][name] = reference(definition_of(kind, name));
      // A repeat has neither, a residual a name: that of the layer it ends in.
      if (labelled && !is_repeat(*component))
        map["properties"][std::string(layer_label_key)] = {{"type", "string"}, {"pattern", "^[A-Za-z_][A-Za-z0-9_-]*$"}};
      if (labelled && !is_layer_group(*component)) map["properties"][std::string(layer_freeze_key)] = {{"type", "boolean"}};
      choices.push_back(std::move(map));
    }
    if (!names.empty()) choices.insert(choices.begin(), Json{{"type", "string"}, {"enum", names}});
    // A schema without choices would be invalid; nothing fits where nothing is loaded.
    return choices.empty() ? Json(false) : Json{{"oneOf", choices}};
  }

  Json object(const nnrun_component& component) {
    Json properties = Json::object();
    Json required = Json::array();
    for (std::size_t i = 0; i < component.param_count; ++i) {
      const nnrun_param& param = param_at(component, i);
      properties[param.name] = property(component, i);
      const bool needs_section = param.type == type_section && has_required(*find_section(param.component_kind));
      if ((param.flags & NNRUN_PARAM_REQUIRED) != 0 || needs_section) required.push_back(param.name);
    }
    const bool is_section = std::string_view(component.kind) == "section";
    Json schema = {{"type", required.empty() ? Json::array({"object", "null"}) : Json("object")}};
    if (component.doc != nullptr) schema["description"] = component.doc;
    if (is_section && &component == &root_section()) schema["type"] = "object";
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    schema["additionalProperties"] = false;
    return schema;
  }

  // 1 rather than 1.0
  static Json bound(double value) {
    constexpr double exact = 9007199254740992;  // 2^53
    if (std::trunc(value) == value && std::abs(value) <= exact) return static_cast<std::int64_t>(value);
    return value;
  }

  static Json with_bounds(Json schema, const nnrun_param& param) {
    if (std::isfinite(param.minimum) && !is_type_limit(param.minimum)) {
      schema[(param.flags & NNRUN_PARAM_MINIMUM_EXCLUDED) != 0 ? "exclusiveMinimum" : "minimum"] = bound(param.minimum);
    }
    if (std::isfinite(param.maximum) && !is_type_limit(param.maximum)) {
      schema[(param.flags & NNRUN_PARAM_MAXIMUM_EXCLUDED) != 0 ? "exclusiveMaximum" : "maximum"] = bound(param.maximum);
    }
    return schema;
  }

  static Json with_count(Json schema, const nnrun_param& param) {
    if (param.count_min > 0) schema["minItems"] = param.count_min;
    if (param.count_max != std::numeric_limits<std::size_t>::max()) schema["maxItems"] = param.count_max;
    return schema;
  }

  // A single item is read as a list of one.
  static Json list_or_one(const Json& item, const nnrun_param& param) {
    Json list = with_count({{"type", "array"}, {"items", item}}, param);
    if (param.count_min > 1) return list;
    return {{"oneOf", Json::array({std::move(list), item})}};
  }

  static Json words(const nnrun_param& param) {
    Json list = Json::array();
    for (const char* const* word = param.choices; word != nullptr && *word != nullptr; ++word) list.push_back(*word);
    return list;
  }

  // `schema`, or one of the parameter's words, where it has some.
  Json words_or(const Json& schema, const nnrun_param& param) {
    if (param.choices == nullptr) return schema;
    return {{"oneOf", Json::array({Json{{"type", "string"}, {"enum", words(param)}}, schema})}};
  }

  Json kernels() {
    Json tables = Json::array({"auto"});
    for (const std::string& name : lookup_.names("kernels")) tables.push_back(name);
    const Json table = {{"type", "string"}, {"enum", tables}};
    const Json map = {{"type", "object"}, {"patternProperties", {{"/", {{"type", "string"}}}}}, {"additionalProperties", table}};
    return {{"oneOf", Json::array({table, map})}};
  }

  Json type_of(const nnrun_param& param) {
    const Json text = {{"type", "string"}};
    switch (param.type) {
      case NNRUN_BOOLEAN: return {{"type", "boolean"}};
      case NNRUN_INTEGER: return with_bounds({{"type", "integer"}}, param);
      case NNRUN_NUMBER: return with_bounds({{"type", "number"}}, param);
      case NNRUN_CHOICE: return {{"type", "string"}, {"enum", words(param)}};
      case NNRUN_INTEGER_LIST: return words_or(list_or_one(with_bounds({{"type", "integer"}}, param), param), param);
      case NNRUN_NUMBER_LIST: return list_or_one(with_bounds({{"type", "number"}}, param), param);
      case NNRUN_COMPONENT: return component_of(param.component_kind);
      case type_section: return reference(definition_of("section", param.component_kind));
      case type_component_list: return list_or_one(component_of(param.component_kind), param);
      case type_layer_list: return with_count({{"type", "array"}, {"items", reference("labelled_layer")}}, param);
      case type_string_list: return list_or_one(text, param);
      case type_word_or_integer:
        return {{"oneOf", Json::array({Json{{"type", "string"}, {"enum", words(param)}}, with_bounds({{"type", "integer"}}, param)})}};
      case type_string_or_section: return {{"oneOf", Json::array({text, reference(definition_of("section", param.component_kind))})}};
      case type_kernels: return kernels();
      default: return text;
    }
  }

  // Of a kind that no plugin has brought there is no definition.
  Json component_of(const std::string& kind) const { return lookup_.names(kind).empty() ? Json(false) : reference(kind); }

  Json default_value(const nnrun_component& component, std::size_t index) {
    const nnrun_value value = default_of(component, index);
    const std::string text = describe_default(component, index);
    if (text.empty()) return nullptr;
    switch (param_at(component, index).type) {
      case NNRUN_BOOLEAN: return value.integer != 0;
      case NNRUN_INTEGER: return value.integer;
      case NNRUN_NUMBER: return value.number;
      case NNRUN_INTEGER_LIST:
        if (value.string != nullptr && *value.string != '\0') return text;
        return std::vector<std::int64_t>(value.integers, value.integers + value.count);
      case NNRUN_NUMBER_LIST: return std::vector<double>(value.numbers, value.numbers + value.count);
      case type_component_list:
      case type_string_list: return nullptr;
      default: return text;
    }
  }

  Json property(const nnrun_component& component, std::size_t index) {
    const nnrun_param& param = param_at(component, index);
    Json schema = type_of(param);
    if (!schema.is_object()) return schema;
    if (param.doc != nullptr) schema["description"] = param.doc;
    if (Json value = default_value(component, index); !value.is_null()) schema["default"] = std::move(value);
    return schema;
  }

  const ComponentLookup& lookup_;
};

}  // namespace

std::string json_schema(const ComponentLookup& lookup) { return Writer(WithLayerGroups(lookup)).write().dump(2) + '\n'; }

}  // namespace nnrun::core
