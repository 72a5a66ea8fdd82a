// Fetching into a cache what will be needed soon, a little with each piece of other work: a kernel that computes for a while between
// its reads leaves the processor's own prefetchers without a trace to follow.
#pragma once

#include <cstdint>

namespace {

constexpr int64_t cache_line = 64;  // bytes
constexpr int64_t line_floats = cache_line / static_cast<int64_t>(sizeof(float));

// At the end of every function that does nothing but prefetch: GCC 12 takes such a function for one without effect and leaves out its
// calls, where it has not inlined them first.
__attribute__((always_inline)) inline void prefetching_is_an_effect() { asm volatile(""); }

// Share `share` of `shares` of `count` elements, into the L2 cache.
template <class T>
__attribute__((always_inline)) inline void prefetch_share(const T* from, int64_t count, int64_t share, int64_t shares) {
  const auto* bytes = reinterpret_cast<const char*>(from);
  const int64_t lines = (count * static_cast<int64_t>(sizeof(T)) + cache_line - 1) / cache_line;
  for (int64_t line = lines * share / shares; line < lines * (share + 1) / shares; ++line)
    __builtin_prefetch(bytes + line * cache_line, 0, 2);
  prefetching_is_an_effect();
}

}  // namespace
