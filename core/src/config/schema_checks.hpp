// The parts of schema.cpp: how one value, one component and one key are checked, and what is said of them. Nobody else includes this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.hpp"

namespace nnrun::core::checks {

// ---- Words (schema_words.cpp) ------------------------------------------------------------------------------

bool is_section(const nnrun_component& component);
std::string joined(std::string_view path, std::string_view name);
std::vector<std::string> choices_of(const nnrun_param& param);
std::string comma_separated(const std::vector<std::string>& words);
std::string with_article(std::string_view noun);

bool in_range(const nnrun_param& param, double value);
// Eg: "at least 0 and below 1". The limits of a C++ type only with `all_bounds`.
std::string range_text(const nnrun_param& param, bool all_bounds);

// ---- One value (schema_values.cpp) -------------------------------------------------------------------------

// One parameter, with what is needed to report on it.
struct Target {
  const nnrun_param& param;
  std::string subject;  // in messages, eg: "dense.units"
  std::string path;     // eg: "model.layers[3].dense.units"
  Location where;       // of the value; of the key where it is a map
};

// A value of a block map starts at its first key; the key that holds it says more.
const Location& place_of(const Node::Entry& entry);

void report(CheckContext& context, Location where, std::string message, std::string suggestion = {});
void report_type(CheckContext& context, const Target& target, const Node& node, std::string_view expected, const std::string& reason = {},
                 const std::string& suggestion = {});

// The items of a list, where a single value is read as a list of one.
std::span<const Node> items_of(const Node& node);
bool check_count(const Target& target, const Node& node, std::size_t count, CheckContext& context);

// Each reports what is wrong with the value.
std::optional<std::int64_t> check_integer(const Target& target, const Node& node, CheckContext& context, std::string_view expected);
std::optional<double> check_number(const Target& target, const Node& node, CheckContext& context, std::string_view expected);
void check_string(const Target& target, const Node& node, CheckContext& context, std::string& value);
void check_choice(const Target& target, const Node& node, CheckContext& context, std::string& value);
void check_word_or_integer(const Target& target, const Node& node, CheckContext& context, ParamValue& value);
void check_integers(const Target& target, const Node& node, CheckContext& context, ParamValue& value);

template <class T, class CheckItem>
void check_list(const Target& target, const Node& node, CheckContext& context, std::vector<T>& values, ParamValue& value,
                CheckItem check_item) {
  for (const Node& item : items_of(node)) {
    if (const auto checked = check_item(item)) values.push_back(static_cast<T>(*checked));
    value.item_locations.push_back(item.where);
  }
  check_count(target, node, items_of(node).size(), context);
}

// ---- A component as it is written (schema_written.cpp) -----------------------------------------------------

// A component as it stands in the config, before its name is looked up.
struct Written {
  std::string name;
  Location where;
  const Node* params = nullptr;  // NULL: a name alone
  std::string label;
  Location label_where;
  bool frozen = false;
};

std::optional<Written> read_component(const Node& node, std::string_view kind, bool labelled, const std::string& path,
                                      CheckContext& context);
// No plugin brings `name`, or several do.
void report_unknown(std::string_view kind, const std::string& name, const Location& where, CheckContext& context);

// ---- Keys (schema_keys.cpp) --------------------------------------------------------------------------------

// Returns the index of the parameter that was meant, or param_count.
std::size_t report_unknown_key(const nnrun_component& component, const std::string& path, const Node::Entry& entry, CheckContext& context);
void report_not_a_map(const nnrun_component& component, const Node& params, const std::string& path, CheckContext& context);
void report_missing(const nnrun_component& component, const nnrun_param& param, const std::string& path, const Location& where,
                    CheckContext& context);

}  // namespace nnrun::core::checks
