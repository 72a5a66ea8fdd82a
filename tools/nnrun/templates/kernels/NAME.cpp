// A kernel of your own in the place of a built-in one: relu_f32, y = max(x, 0). <nnrun/kernels.h> has all names and arguments,
// <nnrun/nnrun.h> what a kernel may and must do. Make it yours.
//
// This file may be compiled for instructions that the CPU under it lacks (CPU_FEATURES in CMakeLists.txt): nnrun looks at
// nnrun_plugin_v1 before it runs anything here, so everything below is constant, and nothing has a constructor.
#include <nnrun/kernels.h>
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <iterator>

namespace {

constexpr std::int64_t elements_per_range = 16384;  // some microseconds of work

// How a call is cut: by the shape alone, never by threads, so that the bits are the same on any machine.
void relu_work(const void* arguments, nnrun_work* work) {
  const auto& a = *static_cast<const nnrun_relu_f32*>(arguments);
  *work = {};
  work->phases = 1;
  work->ranges[0] = (a.count + elements_per_range - 1) / elements_per_range;
}

// One range; others may run on other threads at the same time. y may be x.
void relu_run(const void* arguments, void*, std::uint32_t, std::int64_t range) {
  const auto& a = *static_cast<const nnrun_relu_f32*>(arguments);
  const std::int64_t begin = range * elements_per_range;
  const std::int64_t end = std::min(begin + elements_per_range, a.count);
  for (std::int64_t i = begin; i < end; ++i) a.y[i] = a.x[i] < 0 ? 0.0f : a.x[i];  // NaN stays NaN
}

// The built-in tables have scores up to some hundreds; the highest that supports a shape wins.
constexpr std::int32_t score = 10000;

constexpr nnrun_kernel kernels[] = {
    {sizeof(nnrun_kernel), score, "relu_f32", "nnrun_relu_f32", nullptr, relu_work, relu_run, nullptr, 0, nullptr, 0},
};

constexpr nnrun_kernels_vtable table = {sizeof(nnrun_kernels_vtable), static_cast<std::uint32_t>(std::size(kernels)), kernels,
                                        nullptr, nullptr};

constexpr nnrun_component component = {
    sizeof(nnrun_component), 0, "kernels", "@NAME@", "relu_f32 of our own", nullptr, 0, nullptr, nullptr, nullptr, &table};

constexpr const nnrun_component* components[] = {&component};

}  // namespace

extern "C" {
__attribute__((visibility("default"))) extern const nnrun_plugin nnrun_plugin_v1;
constinit const nnrun_plugin nnrun_plugin_v1 = {
    sizeof(nnrun_plugin), NNRUN_ABI_MAJOR, NNRUN_ABI_MINOR, 1, "@NAME@", "0.1.0", NNRUN_BUILD, NNRUN_CPU_FEATURES, components};
}
