#include <cstddef>

#include "config/schema.hpp"

namespace nnrun::core {

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

std::vector<nnrun_value> make_values(const ComponentSpec& spec,
                                     const std::function<nnrun_component_handle(const ComponentSpec&)>& instantiate) {
  std::vector<nnrun_value> values(spec.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const ParamValue& from = spec.values[i];
    nnrun_value& to = values[i];
    to = {};
    switch (param_at(*spec.component, i).type) {
      case NNRUN_BOOLEAN:
      case NNRUN_INTEGER: to.integer = from.integer; break;
      case NNRUN_NUMBER: to.number = from.number; break;
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
      default: to.string = from.string.c_str();
    }
  }
  return values;
}

}  // namespace nnrun::core
