// NumPy's archive of arrays.
#pragma once

#include <nnrun/plugin.hpp>

#include <string>
#include <utility>
#include <vector>

namespace nnrun::exporters {

// The bytes of a .npz file; arrays keep their types. Names are without ".npy".
std::string npz_of(const std::vector<std::pair<std::string, nnrun_tensor>>& arrays);

}  // namespace nnrun::exporters
