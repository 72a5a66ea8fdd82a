// Checks config values against the parameters of a component, and keeps the typed result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nnrun/nnrun.h>

#include "config/component_lookup.hpp"
#include "config/config.hpp"
#include "config/diagnostic.hpp"

namespace nnrun::core {

// Parameter types that only the config's own sections use (sections.hpp). They never cross the plugin border.
enum SectionParamType : std::uint32_t {
  type_section = 1000,  // a map; `component_kind` names the section
  type_component_list,  // a list of components of kind `component_kind`
  type_layer_list,      // the same, each may have a `name:` beside it, and groups (layer_groups.hpp) may stand there, too
  type_string_list,
  type_word_or_integer,    // one of `choices`, or an integer
  type_string_or_section,  // a path, or a map; `component_kind` names the section
  type_kernels             // a table's name, or a map from kernel to table
};

struct ComponentSpec;

struct NamedText {
  std::string name, text;
  Location where;
};

// The value of one parameter. Which member counts follows from the parameter's type.
struct ParamValue {
  bool given = false;  // false: the default
  std::int64_t integer = 0;
  double number = 0;
  std::string string;
  std::vector<std::int64_t> integers;
  std::vector<double> numbers;
  std::vector<std::string> strings;       // type_string_list
  std::vector<NamedText> named;           // type_kernels: kernel and table
  std::vector<ComponentSpec> components;  // COMPONENT: one, or none where it is optional; sections and lists too
  std::vector<Location> item_locations;   // of a list's items
};

// A component with a value for each of its parameters.
struct ComponentSpec {
  const nnrun_component* component = nullptr;
  std::string reference;  // the name as written, eg: "dense" or "vendor/dense"
  std::string label;      // of a layer: the `name:` beside it, or ""
  Location label_where;
  bool frozen = false;                    // of a layer: `freeze: true` stands beside it
  std::string repetition;                 // of a layer in a `repeat`: "2 of 3"; of nested ones, the outermost first: "1 of 2, 2 of 3"
  std::vector<Diagnostic> notes;          // of a layer in a group: for errors that turn up when it is planned
  std::vector<ParamValue> values;         // one a parameter, in the order of component->params
  Location where;                         // of its name
  std::vector<Location> param_locations;  // of each value; of the component's name where it is the default
  std::string path;                       // eg: "model.layers[3].dense"

  const ParamValue* value(std::string_view param) const;      // NULL: has no such parameter
  const Location& location_of(std::string_view param) const;  // `where` for unknown ones and ""
  // For nnrun_error.parameter: where a message about that parameter points to.
  const Location& location_of(const nnrun_error& error) const { return location_of(std::string_view(error.parameter)); }
};

// Parameter `index`, by the size that the plugin was compiled with.
const nnrun_param& param_at(const nnrun_component& component, std::size_t index);
// Index of a parameter; component.param_count where there is none.
std::size_t param_index(const nnrun_component& component, std::string_view name);
nnrun_value default_of(const nnrun_component& component, std::size_t index);

struct CheckContext {
  const ComponentLookup& lookup;
  std::vector<Diagnostic>& errors;  // all of them; a spec that had some is incomplete
  std::size_t depth = 0;            // of components inside components
};

// `adam` or `{adam: {...}}`. `path` is that of the parameter that holds it, eg: "train.optimizer".
std::optional<ComponentSpec> check_component(const Node& node, std::string_view kind, std::string path, CheckContext& context);
// The parameters alone. `params` is a map or null.
ComponentSpec check_params(const nnrun_component& component, const Node& params, Location where, std::string path, CheckContext& context);

// One value a parameter, for nnrun_component.create. `instantiate` creates nested components (not called for optional ones
// that are absent: their handle is all zero). Pointers go into `spec`, which must outlive the result and not change.
std::vector<nnrun_value> make_values(const ComponentSpec& spec,
                                     const std::function<nnrun_component_handle(const ComponentSpec&)>& instantiate);

// Messages and help say the same: "integer", "number", "one of valid, same", ...; "at least 0 and below 1".
std::string describe_type(const nnrun_param& param);
std::string describe_range(const nnrun_param& param);  // "": no bounds but those of its C++ type
// A default as one would write it; "" where there is none.
std::string describe_default(const nnrun_component& component, std::size_t index);
// The bounds of a parameter as the C++ type of a plugin's member gives them; not worth a mention.
bool is_type_limit(double bound);

}  // namespace nnrun::core
