#include "measuring.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace benchmark {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double now(int threads) {
  timespec t;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Buffer::Buffer(std::size_t count) : count_(count) {
  constexpr std::size_t large_page = 2 << 20;
  const std::size_t bytes = (count * sizeof(float) + 8192) / large_page * large_page + large_page;
  memory_ = std::aligned_alloc(large_page, bytes);
  if (!memory_) std::abort();
  madvise(memory_, bytes, MADV_HUGEPAGE);
  static std::size_t shift = 0;
  shift = (shift + 272) % 1024;
  data_ = static_cast<float*>(memory_) + shift;
  for (std::size_t i = 0; i < count; ++i) data_[i] = static_cast<float>((i * 2654435761u >> 7) % 2001) / 1000 - 1;
}

Buffer::~Buffer() { std::free(memory_); }

Kernels::Kernels(const std::string& library) {
  const auto path_of = [](const std::string& name) { return std::string(NNRUN_PLUGIN_DIR) + "/libnnrun_kernels_" + name + ".so"; };
  std::vector<std::string> names = {library};
  if (library == "auto") {
    names.clear();
    if (__builtin_cpu_supports("avx512f")) names.push_back("avx512");
    if (__builtin_cpu_supports("avx2")) names.push_back("avx2");
  }
  const bool is_path = library.find('/') != std::string::npos;
  if (!is_path && library != "scalar") names.push_back("scalar");
  for (const std::string& name : names) open(is_path ? name : path_of(name));
}

void Kernels::open(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto* plugin = handle ? static_cast<const nnrun_plugin*>(dlsym(handle, NNRUN_PLUGIN_SYMBOL)) : nullptr;
  if (!plugin) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), dlerror());
    std::exit(1);
  }
  tables_.push_back(static_cast<const nnrun_kernels_vtable*>(plugin->components[0]->vtable));
  names_ += (names_.empty() ? "" : ", ") + std::string(plugin->name);
}

const nnrun_kernel& Kernels::choose(const char* name, const void* arguments) const {
  const nnrun_kernel* best = nullptr;
  for (const nnrun_kernels_vtable* table : tables_) {
    for (uint32_t i = 0; i < table->count; ++i) {
      const nnrun_kernel& kernel = table->kernels[i];
      if (std::strcmp(kernel.name, name) != 0 || (best && kernel.score <= best->score)) continue;
      if (!kernel.supports || kernel.supports(arguments)) best = &kernel;
    }
  }
  if (!best) {
    std::fprintf(stderr, "%s: none has %s for this shape\n", names_.c_str(), name);
    std::exit(1);
  }
  return *best;
}

double Kernels::peak(int threads, double seconds) const {
  const nnrun_kernel& kernel = choose("fma_peak_f32", nullptr);
  double best = 0;
  const auto begin = Clock::now();
  for (int round = 0; round < 5 || seconds_since(begin) < seconds; ++round) {
    double operations = 0;
    const double start = now(threads);
#pragma omp parallel num_threads(threads) reduction(+ : operations)
    {
      double own = 0;
      float result = 0;
      const nnrun_fma_peak_f32 arguments = {40000, &own, &result};
      kernel.run(&arguments, nullptr, 0, 0);
      operations += own;
    }
    best = std::max(best, operations / (now(threads) - start) * 1e-9);
  }
  return best;
}

void run(const nnrun_kernel& kernel, const void* arguments, const nnrun_work& work, void* workspace, int threads) {
  if (threads == 1) {
    for (uint32_t phase = 0; phase < work.phases; ++phase) {
      for (int64_t range = 0; range < work.ranges[phase]; ++range) kernel.run(arguments, workspace, phase, range);
    }
    return;
  }
#pragma omp parallel num_threads(threads)
  for (uint32_t phase = 0; phase < work.phases; ++phase) {
#pragma omp for schedule(static)
    for (int64_t range = 0; range < work.ranges[phase]; ++range) kernel.run(arguments, workspace, phase, range);
  }
}

}  // namespace benchmark
