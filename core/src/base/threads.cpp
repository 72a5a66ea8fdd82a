#include "base/threads.hpp"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>

namespace nnrun::core {

namespace {

int affinity_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
}

// CPUs' worth of time a period, rounded up; a large number where there is no limit.
int quota_count() {
  double quota = -1, period = -1;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2) {
    std::string first;
    v2 >> first >> period;
    if (first != "max" && !first.empty()) quota = std::atof(first.c_str());
  } else {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  if (quota <= 0 || period <= 0) return std::numeric_limits<int>::max();
  return static_cast<int>(std::ceil(quota / period));
}

}  // namespace

int available_threads() { return std::clamp(std::min(affinity_count(), quota_count()), 1, 256); }

int parallel_ranges(int threads, std::int64_t ranges, nnrun_range_function body, void* argument, nnrun_error* error) {
  if (threads <= 1 || ranges <= 1 || omp_in_parallel() != 0) {
    for (std::int64_t range = 0; range < ranges; ++range) {
      if (const int status = body(argument, range, error); status != 0) return status;
    }
    return 0;
  }
  std::int64_t failed_range = ranges;
  int failed_status = 0;
  std::mutex failure;
  // Always the same team, for few ranges too: OpenMP would end and start threads, and allocate, whenever its size changes. Static: a
  // thread gets the same ranges in every step, and finds its part of the weights in its own cache.
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t range = 0; range < ranges; ++range) {
    nnrun_error own;
    own.message[0] = own.parameter[0] = '\0';
    const int status = body(argument, range, &own);
    if (status == 0) continue;
    const std::lock_guard lock(failure);
    if (range < failed_range) {
      failed_range = range;
      failed_status = status;
      if (error != nullptr) *error = own;
    }
  }
  return failed_status;
}

}  // namespace nnrun::core
