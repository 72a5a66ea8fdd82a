// The keys of a config outside of components, as parameter tables: checking, help and JSON Schema all come from here.
#pragma once

#include <span>
#include <string_view>

#include <nnrun/nnrun.h>

namespace nnrun::core {

// Sections look like components of kind "section"; they have no vtable and are never created.
const nnrun_component& root_section();
const nnrun_component* find_section(std::string_view name);  // "train", "checkpoint", ...; NULL where there is none
std::span<const nnrun_component* const> all_sections();      // the root first

// Lists of layers that may stand in lists of layers: `repeat`, `residual`. They look like components of kind "layer"; see
// layer_groups.hpp.
const nnrun_component* find_layer_group(std::string_view name);  // NULL where there is none
std::span<const nnrun_component* const> all_layer_groups();
bool is_layer_group(const nnrun_component& component);
bool is_repeat(const nnrun_component& component);
// The layer that a residual ends in. It takes the name of an earlier layer, and adds that one's output.
constexpr std::string_view residual_join = "add";

// Beside a component in `model.layers`.
constexpr std::string_view layer_label_key = "name";
constexpr std::string_view layer_freeze_key = "freeze";
constexpr bool is_layer_key(std::string_view key) { return key == layer_label_key || key == layer_freeze_key; }

}  // namespace nnrun::core
