// Fetching into a cache what will be needed soon: a kernel that computes for a while between its reads leaves the processor's own
// prefetchers without a trace to follow.
#pragma once

#include <cstdint>

namespace {

constexpr int64_t cache_line = 64;  // bytes
constexpr int64_t line_floats = cache_line / static_cast<int64_t>(sizeof(float));

// At the end of every function that does nothing but prefetch, and is not always_inline: GCC 12 takes such a function for one without
// effect and leaves out its calls, where it has not inlined them first.
__attribute__((always_inline)) inline void prefetching_is_an_effect() { asm volatile(""); }

// `count` floats, into the L2 cache.
inline void prefetch_floats(const float* from, int64_t count) {
  for (int64_t i = 0; i < count; i += line_floats) __builtin_prefetch(from + i, 0, 2);
  prefetching_is_an_effect();
}

}  // namespace
