#include "peak.hpp"

#include "base/buffer.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <chrono>

namespace nnrun::tool {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The highest rate of amount() a second; at least three tries.
double best_rate(double budget, const auto& amount) {
  double best = 0;
  int tries = 0;
  for (const auto start = Clock::now(); tries < 3 || seconds_since(start) < budget; ++tries) {
    const auto begin = Clock::now();
    const double done = amount();
    best = std::max(best, done / seconds_since(begin));
  }
  return best;
}

}  // namespace

Peaks measure_peaks(const core::HostServices& services, std::size_t weight_bytes, double seconds) {
  const Host host(services.c());
  const std::int64_t threads = services.threads();

  const Kernel<nnrun_fma_peak_f32> multiply(host, {});
  const double flops = best_rate(seconds / 2, [&] {
    std::vector<double> operations(static_cast<std::size_t>(threads));
    host.parallel(threads, [&](std::int64_t thread) {
      float result = 0;
      double done = 0;
      multiply.serial({500'000, &done, &result});
      operations[static_cast<std::size_t>(thread)] = done;
    });
    double sum = 0;
    for (const double part : operations) sum += part;
    return sum;
  });

  // Each thread reads its part of a buffer as large as the weights: from L2 if they fit there, from further away otherwise.
  const core::Buffer buffer(std::max<std::size_t>(weight_bytes, 1 << 16));
  const auto part = static_cast<std::int64_t>(buffer.size() / sizeof(float)) / threads;
  const Kernel<nnrun_read_peak_f32> read(host, {part, nullptr, nullptr});
  constexpr int rounds = 20;
  const double bytes = best_rate(seconds / 2, [&] {
    host.parallel(threads, [&](std::int64_t thread) {
      float result = 0;
      for (int round = 0; round < rounds; ++round) read.serial({part, buffer.as<float>() + thread * part, &result});
    });
    return static_cast<double>(rounds) * static_cast<double>(part * threads) * sizeof(float);
  });
  return {flops * 1e-9, bytes * 1e-9};
}

}  // namespace nnrun::tool
