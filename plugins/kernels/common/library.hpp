// What every kernel library needs to present its kernels to the host.
#pragma once

#include <nnrun/fixed_kernels.h>
#include <nnrun/kernels.h>
#include <nnrun/nnrun.h>

namespace {

template <class Arguments, void (*typed_work)(const Arguments&, nnrun_work&)>
void work_of(const void* arguments, nnrun_work* work) {
  typed_work(*static_cast<const Arguments*>(arguments), *work);
}

template <class Arguments, void (*typed_run)(const Arguments&, void*, uint32_t, int64_t)>
void run_of(const void* arguments, void* workspace, uint32_t phase, int64_t range) {
  typed_run(*static_cast<const Arguments*>(arguments), workspace, phase, range);
}

template <class Arguments, void (*typed_work)(const Arguments&, nnrun_work&), void (*typed_run)(const Arguments&, void*, uint32_t, int64_t)>
constexpr nnrun_kernel make_kernel(const char* name, const char* signature, int32_t score) {
  return {sizeof(nnrun_kernel),         score,   name, signature, nullptr, work_of<Arguments, typed_work>,
          run_of<Arguments, typed_run>, nullptr, 0,    nullptr,   0};
}

template <class Arguments, bool (*typed_supports)(const Arguments&)>
int supports_of(const void* arguments) {
  return typed_supports(*static_cast<const Arguments*>(arguments)) ? 1 : 0;
}

template <class Arguments, bool (*typed_supports)(const Arguments&), void (*typed_work)(const Arguments&, nnrun_work&),
          void (*typed_run)(const Arguments&, void*, uint32_t, int64_t)>
constexpr nnrun_kernel make_special_kernel(const char* name, const char* signature, int32_t score, const char* algorithm, double bound,
                                           uint32_t precision = 0) {
  return {sizeof(nnrun_kernel),
          score,
          name,
          signature,
          supports_of<Arguments, typed_supports>,
          work_of<Arguments, typed_work>,
          run_of<Arguments, typed_run>,
          algorithm,
          bound,
          nullptr,
          precision};
}

}  // namespace

// Declares the two typed functions behind a kernel; they are defined in the kernel's own file.
#define NNRUN_DECLARE_KERNEL(name)                           \
  void name##_work(const nnrun_##name& a, nnrun_work& work); \
  void name##_run(const nnrun_##name& a, void* workspace, uint32_t phase, int64_t range);

// The same for one that is for some shapes only, `name` and `way` together its functions' prefix.
#define NNRUN_DECLARE_SPECIAL_KERNEL(name, way)                      \
  bool name##_##way##_supports(const nnrun_##name& a);               \
  void name##_##way##_work(const nnrun_##name& a, nnrun_work& work); \
  void name##_##way##_run(const nnrun_##name& a, void* workspace, uint32_t phase, int64_t range);

// One entry of a library's table.
#define NNRUN_TABLE_ENTRY(name, score) make_kernel<nnrun_##name, name##_work, name##_run>(#name, "nnrun_" #name, score)

#define NNRUN_SPECIAL_TABLE_ENTRY(name, way, score, algorithm, bound)                                                               \
  make_special_kernel<nnrun_##name, name##_##way##_supports, name##_##way##_work, name##_##way##_run>(#name, "nnrun_" #name, score, \
                                                                                                      algorithm, bound)

#define NNRUN_BF16_TABLE_ENTRY(name, way, score, algorithm, bound)                                                                  \
  make_special_kernel<nnrun_##name, name##_##way##_supports, name##_##way##_work, name##_##way##_run>(#name, "nnrun_" #name, score, \
                                                                                                      algorithm, bound, NNRUN_BF16)

// The whole plugin: one component that holds the table `entries`. Everything is constant-initialised: a constructor would run
// before the host has compared the CPU with `features`.
#define NNRUN_KERNEL_LIBRARY(library, title, features, entries)                                                                           \
  namespace {                                                                                                                             \
  constexpr nnrun_kernels_vtable table = {sizeof(nnrun_kernels_vtable), sizeof(entries) / sizeof(entries[0]), entries, nullptr, nullptr}; \
  constexpr nnrun_component component = {                                                                                                 \
      sizeof(nnrun_component), 0, "kernels", library, title, nullptr, 0, nullptr, nullptr, nullptr, &table};                              \
  constexpr const nnrun_component* components[] = {&component};                                                                           \
  }                                                                                                                                       \
  extern "C" {                                                                                                                            \
  __attribute__((visibility("default"))) extern constinit const nnrun_plugin nnrun_plugin_v1;                                             \
  constinit const nnrun_plugin nnrun_plugin_v1 = {sizeof(nnrun_plugin), NNRUN_ABI_MAJOR, NNRUN_ABI_MINOR, 1, library, "1.0.0",            \
                                                  "C++ " __VERSION__,   features,        components};                                     \
  }
