// What the CPU under us can do. This file is compiled without ISA flags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nnrun::core {

// Names as in Linux' /proc/cpuinfo, eg: "avx512f", "fma"; only those that the operating system lets us use (xgetbv). Sorted.
const std::vector<std::string>& cpu_features();

// As the operating system calls it, with family and model, eg: "AMD EPYC (26/2)".
std::string cpu_name();

// The words of `required` (separated by spaces) that this CPU lacks. An unknown name counts as lacking.
std::vector<std::string> missing_cpu_features(std::string_view required);

}  // namespace nnrun::core
