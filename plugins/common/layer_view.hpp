// What quantizers and exporters ask a layer's view for.
#pragma once

#include <nnrun/plugin.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace nnrun {

inline const nnrun_value& param_of(const nnrun_layer_view& layer, std::string_view name) {
  for (std::uint32_t i = 0; i < layer.param_count; ++i) {
    if (layer.param_names[i] == name) return layer.params[i];
  }
  throw Error(std::string(layer.name) + " has no parameter '" + std::string(name) + "': it is another " + layer.component +
              " than nnrun's");
}

// NULL where it has none.
inline const nnrun_tensor* tensor_of(const nnrun_layer_view& layer, std::string_view name) {
  for (std::uint32_t i = 0; i < layer.tensor_count; ++i) {
    if (layer.tensor_names[i] == name) return &layer.tensors[i];
  }
  return nullptr;
}

// A list of integers, or a word.
inline IntegersOrWord integers_or_word(const nnrun_value& value) {
  IntegersOrWord result;
  detail::ParamTraits<IntegersOrWord>::set(result, value);
  return result;
}

inline std::vector<std::int64_t> integers(const nnrun_value& value) { return {value.integers, value.integers + value.count}; }

// Both as a config writes them.
inline std::string list_text(const nnrun_value& value) {
  if (value.string != nullptr && *value.string != '\0') return value.string;
  std::string text;
  for (std::size_t i = 0; i < value.count; ++i) text += (text.empty() ? "" : ", ") + std::to_string(value.integers[i]);
  return "[" + text + "]";
}

}  // namespace nnrun
