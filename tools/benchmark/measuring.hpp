// What the benchmark programs share: the kernel libraries, memory, clocks, and the machine's peak.
#pragma once

#include <nnrun/kernels.h>
#include <nnrun/nnrun.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace benchmark {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start);

// Seconds of an arbitrary start. One thread is timed by its CPU time, which leaves out what the neighbours on its core took.
double now(int threads);

// Floats in large pages, as nnrun's arenas have them, which helps the peers as well; filled with numbers in -1..1. They do not
// start a page, so that equal offsets in different matrices do not meet in one cache set, but are 64-byte aligned.
class Buffer {
 public:
  explicit Buffer(std::size_t count);
  Buffer(const Buffer&) = delete;
  ~Buffer();
  float* data() { return data_; }
  const float* data() const { return data_; }
  std::size_t count() const { return count_; }

 private:
  std::size_t count_;
  void* memory_;
  float* data_;
};

// The tables of some kernel libraries; the highest score that supports a shape is chosen, as the host does.
class Kernels {
 public:
  // "auto": all that this CPU can run. A name: that library, and scalar for what it lacks. A path: that file alone. Exits with a
  // message where one cannot be opened.
  explicit Kernels(const std::string& library);
  // Exits with a message where there is none.
  const nnrun_kernel& choose(const char* name, const void* arguments) const;
  const std::string& names() const { return names_; }
  // FMA GFLOP/s of `threads` threads at once, from a loop that only computes: the best of `seconds`.
  double peak(int threads, double seconds) const;

 private:
  void open(const std::string& path);

  std::vector<const nnrun_kernels_vtable*> tables_;
  std::string names_;
};

// One call of a kernel, `arguments` being its struct of kernels.h.
void run(const nnrun_kernel& kernel, const void* arguments, const nnrun_work& work, void* workspace, int threads);

}  // namespace benchmark
