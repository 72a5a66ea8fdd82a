// The C++ face of the plugin border (nnrun.h): write a plain class, name its parameters, export it.
//
//     struct Swish {
//       static constexpr auto name = "swish";
//       static constexpr auto doc = "y = x * sigmoid(beta * x)";
//       float beta = 1.0f;                                    // also the documented default
//       static constexpr auto params() {
//         return nnrun::schema(nnrun::param<&Swish::beta>("beta", "sharpness of the gate").range(0, 10));
//       }
//       void plan(nnrun::Plan& p) { p.output(p.input()); }
//       void forward(const nnrun::Run& r) const { ... }
//       void backward(const nnrun::Run& r) const { ... }
//     };
//     NNRUN_PLUGIN("swish", "1.0.0", Swish)
//
// Which kind a class is follows from its functions: forward() makes a layer, fill() an initializer, and so on (see
// nnrun/plugin/kinds.hpp). Exceptions thrown anywhere reach the user as an error at the component's place in the config.
#pragma once

#include <nnrun/fixed_kernels.h>
#include <nnrun/kernels.h>
#include <nnrun/nnrun.h>
#include <nnrun/plugin/error.hpp>
#include <nnrun/plugin/host.hpp>
#include <nnrun/plugin/kernel.hpp>
#include <nnrun/plugin/kinds.hpp>
#include <nnrun/plugin/layer.hpp>
#include <nnrun/plugin/parameter.hpp>
#include <nnrun/plugin/tensor.hpp>
#include <nnrun/random.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>

namespace nnrun {
namespace detail {

// The kind's name and table that fit T.
template <class T>
struct Kind {
  static_assert(Layer<T> || InitializerKind<T> || ScheduleKind<T> || Optimizer<T> || Loss<T> || Metric<T> || Transform<T> || Dataset<T> ||
                    Observer<T> || Quantizer<T> || Exporter<T>,
                "this class has the functions of no kind of component: see nnrun/plugin/kinds.hpp");
  static constexpr auto make() {
    if constexpr (Layer<T>) {
      return std::pair("layer", layer_vtable<T>());
    } else if constexpr (Optimizer<T>) {
      return std::pair("optimizer", optimizer_vtable<T>());
    } else if constexpr (InitializerKind<T>) {
      return std::pair("initializer", initializer_vtable<T>());
    } else if constexpr (ScheduleKind<T>) {
      return std::pair("schedule", schedule_vtable<T>());
    } else if constexpr (Loss<T>) {
      return std::pair("loss", loss_vtable<T>());
    } else if constexpr (Metric<T>) {
      return std::pair("metric", metric_vtable<T>());
    } else if constexpr (Transform<T>) {
      return std::pair("transform", transform_vtable<T>());
    } else if constexpr (Dataset<T>) {
      return std::pair("dataset", dataset_vtable<T>());
    } else if constexpr (Quantizer<T>) {
      return std::pair("quantizer", quantizer_vtable<T>());
    } else if constexpr (Exporter<T>) {
      return std::pair("exporter", exporter_vtable<T>());
    } else {
      return std::pair("observer", observer_vtable<T>());
    }
  }
  static constexpr auto value = make();
};

template <class T>
constexpr auto params_of() {
  if constexpr (requires { T::params(); }) {
    return T::params();
  } else {
    return std::array<Param, 0>{};
  }
}

template <class T>
struct Exported {
  static constexpr auto params = params_of<T>();
  static constexpr std::size_t param_count = params.size();

  // One more than needed, so that it is never empty.
  static constexpr auto make_c_params() {
    std::array<nnrun_param, param_count + 1> list{};
    for (std::size_t i = 0; i < param_count; ++i) list[i] = params[i].c;
    return list;
  }
  static constexpr auto c_params = make_c_params();

  static void get_default(std::size_t index, nnrun_value* value) {
    static const T defaults{};
    *value = nnrun_value{};
    if constexpr (param_count > 0) params[index].get(&defaults, *value);
  }

  static void* create(const nnrun_host* host, const nnrun_value* values, nnrun_error* error) {
    T* object = nullptr;
    guard(error, [&] {
      auto made = std::make_unique<T>();
      for (std::size_t i = 0; i < param_count; ++i) params[i].set(made.get(), values[i]);
      if constexpr (requires { made->create(Host(host)); }) made->create(Host(host));
      object = made.release();
    });
    return object;
  }

  static void destroy(void* self) { delete static_cast<T*>(self); }

  static constexpr nnrun_component component{sizeof(nnrun_component), 0,           Kind<T>::value.first, T::name, T::doc,
                                             c_params.data(),         param_count, &get_default,         &create, &destroy,
                                             &Kind<T>::value.second};
};

template <class... Components>
struct ComponentList {
  static constexpr const nnrun_component* list[] = {&Exported<Components>::component...};
};

}  // namespace detail

// Parameters may be checked together after they are set: give the class `void create(const nnrun::Host&)`, and throw nnrun::Error.

#if defined(__clang__)
#define NNRUN_BUILD "clang " __clang_version__
#elif defined(__GNUC__)
#define NNRUN_BUILD "g++ " __VERSION__
#else
#define NNRUN_BUILD "unknown compiler"
#endif

// The CPU features that the whole library is compiled for; define it to "avx512f ..." where ISA flags are given.
#ifndef NNRUN_CPU_FEATURES
#define NNRUN_CPU_FEATURES ""
#endif

// Exports the classes named after the version; once a library.
#define NNRUN_PLUGIN(plugin_name, plugin_version, ...)                                                                                    \
  extern "C" __attribute__((visibility("default"))) const nnrun_plugin nnrun_plugin_v1;                                                   \
  constinit const nnrun_plugin nnrun_plugin_v1 = {sizeof(nnrun_plugin),                                                                   \
                                                  NNRUN_ABI_MAJOR,                                                                        \
                                                  NNRUN_ABI_MINOR,                                                                        \
                                                  static_cast<std::uint32_t>(std::size(nnrun::detail::ComponentList<__VA_ARGS__>::list)), \
                                                  plugin_name,                                                                            \
                                                  plugin_version,                                                                         \
                                                  NNRUN_BUILD,                                                                            \
                                                  NNRUN_CPU_FEATURES,                                                                     \
                                                  nnrun::detail::ComponentList<__VA_ARGS__>::list};

}  // namespace nnrun
