// Counts what is taken from the heap, by any thread and any library of this process.
#pragma once

#include <cstddef>

namespace nnrun::test {

// Since the process started. Only differences are meaningful.
std::size_t allocation_count();

}  // namespace nnrun::test
