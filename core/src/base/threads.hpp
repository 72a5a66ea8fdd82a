// Parallel ranges. Ranges are cut by the caller; here they are only handed out.
#pragma once

#include <nnrun/nnrun.h>

#include <cstdint>

namespace nnrun::core {

// How many threads "auto" means: the CPUs that this process may run on (affinity), no more than its cgroup's quota.
int available_threads();

// body(argument, 0) .. body(argument, ranges - 1) on up to `threads` threads; on failure returns non-zero with the error of the
// lowest failing range. Inside another call it runs serially.
int parallel_ranges(int threads, std::int64_t ranges, nnrun_range_function body, void* argument, nnrun_error* error);

}  // namespace nnrun::core
