// What this machine can do at this moment, for shares of it.
#pragma once

#include "plugins/host.hpp"

namespace nnrun::tool {

struct Peaks {
  double gflops;         // fused multiply-adds on all threads of the host
  double read_gb_per_s;  // reading weights, again and again, on all threads
};

// The best of many short tries within `seconds`.
Peaks measure_peaks(const core::HostServices& host, std::size_t weight_bytes, double seconds);

}  // namespace nnrun::tool
