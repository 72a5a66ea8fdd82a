// What a scalar of a config means as a number or truth value. YAML libraries read 012 as 10, yes as true and 0x10 as
// 16; here a number is decimal and truth is true or false, and the rest is an error that says what to write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/config.hpp"

namespace nnrun::core {

template <class T>
struct Parsed {
  std::optional<T> value;
  std::string reason;      // why not, where it is not obvious, eg: "numbers have no leading zeros"
  std::string suggestion;  // eg: "write 12"
};

Parsed<std::int64_t> parse_integer(const Node& node);  // 1000, also 1e3, since that is exactly an integer
Parsed<double> parse_number(const Node& node);         // finite
Parsed<bool> parse_boolean(const Node& node);

// The shortest text that reads back as the same double.
std::string format_number(double number);
// 'text', a list, a map, nothing
std::string describe_node(const Node& node);

}  // namespace nnrun::core
