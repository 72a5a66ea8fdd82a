#pragma once

#include <cstdint>

namespace {

// Moves a pointer, and hides from the compiler by how much: whoever sees that two iterations load the same number keeps it, on the
// stack. The copy matters: `asm` on the reference itself makes GCC keep all of the caller's arrays in memory.
template <class T>
__attribute__((always_inline)) inline void advance(T*& p, int64_t count) {
  T* moved = p + count;
  asm("" : "+r"(moved));
  p = moved;
}

}  // namespace
