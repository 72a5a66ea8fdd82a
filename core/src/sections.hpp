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

// Beside a component in `model.layers`.
constexpr std::string_view layer_label_key = "name";
constexpr std::string_view layer_freeze_key = "freeze";
constexpr bool is_layer_key(std::string_view key) { return key == layer_label_key || key == layer_freeze_key; }

}  // namespace nnrun::core
