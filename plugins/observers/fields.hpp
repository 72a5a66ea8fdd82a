// Reading the fields of an event by name.
#pragma once

#include <limits>
#include <string_view>

#include "../common/text.hpp"

namespace nnrun::observers {

inline std::span<const nnrun_field> fields_of(const nnrun_event& event) { return {event.fields, event.field_count}; }

inline const nnrun_field* find(const nnrun_event& event, std::string_view name) {
  for (const nnrun_field& field : fields_of(event)) {
    if (name == field.name) return &field;
  }
  return nullptr;
}

inline bool has(const nnrun_event& event, std::string_view name) { return find(event, name) != nullptr; }

// NaN where there is no such number.
inline double number(const nnrun_event& event, std::string_view name) {
  const nnrun_field* field = find(event, name);
  return field == nullptr || field->text != nullptr || field->numbers != nullptr ? std::numeric_limits<double>::quiet_NaN() : field->number;
}

// "" where there is no such text.
inline std::string text(const nnrun_event& event, std::string_view name) {
  const nnrun_field* field = find(event, name);
  return field == nullptr || field->text == nullptr ? "" : field->text;
}

}  // namespace nnrun::observers
