// Buffers that the ranges of a phase take in turn, so that what one has left in the cache serves the next. Who gets which says nothing about
// results: a range finds nothing there that counts.
#pragma once

#include <cstdint>

namespace {

constexpr int64_t turns_bytes = 64;  // of `taken`
constexpr int64_t most_turns = 16;   // so many ranges run at the same time; more threads wait

// Before the first turn.
inline void begin_turns(uint8_t* taken) {
  for (int64_t i = 0; i < most_turns; ++i) taken[i] = 0;
}

// Holds the first of `count` buffers that is free.
class Turn {
 public:
  Turn(uint8_t* taken, int64_t count) : taken_(taken) {
    while (__atomic_exchange_n(&taken_[buffer_], uint8_t{1}, __ATOMIC_ACQUIRE) != 0) buffer_ = buffer_ + 1 < count ? buffer_ + 1 : 0;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { __atomic_store_n(&taken_[buffer_], uint8_t{0}, __ATOMIC_RELEASE); }
  int64_t buffer() const { return buffer_; }

 private:
  uint8_t* taken_;
  int64_t buffer_ = 0;
};

}  // namespace
