// What the oneDNN peers share: reading a fixture, being held against its expected values, timing, and the document that they
// print.
#pragma once

#include <immintrin.h>
#include <omp.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "../benchmark/onednn.hpp"

namespace peer {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Arguments {
  std::string folder;
  int threads;
  double seconds;
  bool bf16;
};

// FIXTURE THREADS SECONDS [bf16]. Flushes denormals in every thread from then on.
inline Arguments arguments_of(int count, char** words, bool may_be_bf16 = false) {
  const bool bf16 = may_be_bf16 && count == 5 && std::string(words[4]) == "bf16";
  if (count != 4 && !bf16) {
    std::cerr << "usage: " << words[0] << " FIXTURE THREADS SECONDS" << (may_be_bf16 ? " [bf16]\n" : "\n");
    std::exit(2);
  }
  const Arguments arguments = {std::string(words[1]) + "/", std::atoi(words[2]), std::atof(words[3]), bf16};
  omp_set_num_threads(arguments.threads);
#pragma omp parallel
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero
  return arguments;
}

// All numbers of a file; at least `count`.
template <class T>
std::vector<T> read_array(const std::string& path, std::size_t count) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<T> values(file ? static_cast<std::size_t>(file.tellg()) / sizeof(T) : 0);
  file.seekg(0);
  if (values.size() < count || !file.read(reinterpret_cast<char*>(values.data()), std::streamsize(values.size() * sizeof(T)))) {
    std::cerr << "cannot read " << count << " numbers from " << path << "\n";
    std::exit(1);
  }
  return values;
}

// The largest difference from the reference so far.
inline double worst_off = 0;

// As in agreement.py; bf16 has 8 bits of 24.
inline void demand_agreement(const std::string& what, const std::vector<float>& got, const float* expected, bool bf16 = false) {
  const double tolerance = bf16 ? 2e-2 : 2e-4;
  double off = 0, largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    off = std::max(off, std::isfinite(got[i]) ? std::abs(double(got[i]) - expected[i]) : 1e30);
    largest = std::max(largest, std::abs(double(expected[i])));
  }
  off /= largest;
  worst_off = std::max(worst_off, off);
  if (off > tolerance) {
    std::cerr << what << " differs from the reference by " << off << ", allowed are " << tolerance << ": not timed\n";
    std::exit(1);
  }
}

// Median of many short stretches, as in measuring.py.
inline double calls_per_second(const std::function<void(int64_t)>& call, double seconds) {
  call(0);
  auto start = Clock::now();
  call(1);
  const int64_t stretch = std::max<int64_t>(1, int64_t(0.005 / seconds_since(start)));
  std::vector<double> rates;
  int64_t i = 2;
  const auto begin = Clock::now();
  while (seconds_since(begin) < seconds || rates.size() < 3) {
    start = Clock::now();
    for (int64_t end = i + stretch; i < end; ++i) call(i);
    rates.push_back(double(stretch) / seconds_since(start));
  }
  std::nth_element(rates.begin(), rates.begin() + int64_t(rates.size() / 2), rates.end());
  return rates[rates.size() / 2];
}

// "name": rate, ...
class Rates {
 public:
  void add(const std::string& name, double rate) { text_ << (text_.tellp() > 0 ? ", " : "") << '"' << name << "\": " << rate; }
  std::string text() const { return text_.str(); }

 private:
  mutable std::ostringstream text_;
};

// The document that measuring.py describes. `chosen`: what was tried and found best.
inline void report(int threads, const std::string& chosen, const Rates& train, const Rates& inference) {
  const dnnl_version_t* version = dnnl_version();
  std::printf(
      "{\"peer\": \"onednn\", \"threads\": %d, \"settings\": {\"onednn\": \"%d.%d.%d\", \"chosen\": \"%s\"}, \"train\": {%s}, "
      "\"inference\": {%s}, \"off\": %.3g}\n",
      threads, version->major, version->minor, version->patch, chosen.c_str(), train.text().c_str(), inference.text().c_str(), worst_off);
}

}  // namespace peer
