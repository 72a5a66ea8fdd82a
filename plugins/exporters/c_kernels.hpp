// The functions that exported C is made of, as text.
#pragma once

#include "net.hpp"

#include <string>

namespace nnrun::exporters {

// Those that the net needs, in the order in which C wants them.
std::string c_kernels(const Net& net);

std::string c_type(nnrun_dtype dtype);       // eg: "int32_t"
std::string c_function(const Layer& layer);  // eg: "dense_q16"

}  // namespace nnrun::exporters
