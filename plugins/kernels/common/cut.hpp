// How work is cut into ranges: by the shape alone, so that the result has the same bits for any number of threads.
#pragma once

#include <nnrun/nnrun.h>

namespace {

constexpr int64_t elements_per_range = 16384;  // 64 KiB of floats: some microseconds of work, and half of it fits the L1 cache

constexpr float least_normal = 0x1p-126f;

struct Slice {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

constexpr int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Slice `index` of 0..count-1 in steps of `step`; the last one may be shorter.
constexpr Slice slice_of(int64_t count, int64_t step, int64_t index) {
  return {smaller(index * step, count), smaller((index + 1) * step, count)};
}

inline void one_phase(nnrun_work& work, int64_t ranges) {
  work = {};
  work.phases = 1;
  work.ranges[0] = ranges;
}

inline void elementwise_work(int64_t count, nnrun_work& work) { one_phase(work, ceil_divide(count, elements_per_range)); }
inline Slice elementwise_slice(int64_t count, int64_t range) { return slice_of(count, elements_per_range, range); }

// Rows of `columns` elements, about elements_per_range in a range.
constexpr int64_t rows_per_range(int64_t columns) { return larger(1, elements_per_range / larger(1, columns)); }

}  // namespace
