// The kinds of components: what a class of each must offer, and the table that is made from it.
#pragma once

#include <nnrun/nnrun.h>
#include <nnrun/plugin/error.hpp>
#include <nnrun/plugin/host.hpp>
#include <nnrun/plugin/layer.hpp>
#include <nnrun/plugin/tensor.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace nnrun {

namespace detail {

template <class T>
T& as(void* self) {
  return *static_cast<T*>(self);
}

// layer: void plan(Plan&); void forward(const Run&) const; optionally backward, `static constexpr std::uint32_t trait`,
// or std::uint32_t trait_of() const where it depends on the parameters, and bool absorb(std::uint32_t trait). With NNRUN_TRAIT_AFFINE:
// void affine(const Run&, float* scale, float* offset) const. Who absorbs that: void fold(const Run&, const float* scale,
// const float* offset) const. To go through the batch in slices: std::int64_t slices(std::int64_t batch, bool backward) const and
// void run_slice(const Run&, const nnrun_slice&) const, and std::int64_t slices_ahead(std::int64_t batch, bool backward) const; see
// nnrun_layer_vtable.
template <class T>
concept Layer = requires(T t, Plan& plan, const Run& run) {
  t.plan(plan);
  t.forward(run);
};

template <class T>
constexpr nnrun_layer_vtable layer_vtable() {
  nnrun_layer_vtable table{};
  table.size = sizeof table;
  if constexpr (requires { T::trait; }) table.trait = T::trait;
  table.plan = [](void* self, nnrun_plan* plan, nnrun_error* error) {
    return guard(error, [&] {
      Plan p(plan);
      as<T>(self).plan(p);
    });
  };
  table.forward = [](void* self, const nnrun_run* run, nnrun_error* error) { return guard(error, [&] { as<T>(self).forward(Run(run)); }); };
  if constexpr (requires(T t, const Run& run) { t.backward(run); }) {
    table.backward = [](void* self, const nnrun_run* run, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).backward(Run(run)); });
    };
  }
  if constexpr (requires(T t) { t.absorb(std::uint32_t{}); }) {
    table.absorb = [](void* self, std::uint32_t trait) { return as<T>(self).absorb(trait) ? 1 : 0; };
  }
  if constexpr (requires(const T t) { t.trait_of(); }) {
    table.trait_of = [](void* self) -> std::uint32_t { return as<T>(self).trait_of(); };
  }
  if constexpr (requires(const T t, const Run& run, float* numbers) { t.affine(run, numbers, numbers); }) {
    table.affine = [](void* self, const nnrun_run* run, float* scale, float* offset, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).affine(Run(run), scale, offset); });
    };
  }
  if constexpr (requires(const T t, const Run& run, const float* numbers) { t.fold(run, numbers, numbers); }) {
    table.fold = [](void* self, const nnrun_run* run, const float* scale, const float* offset, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).fold(Run(run), scale, offset); });
    };
  }
  if constexpr (requires(const T t, const Run& run, const nnrun_slice& slice) { t.run_slice(run, slice); }) {
    table.slices = [](void* self, std::int64_t batch, std::uint32_t backward) -> std::int64_t {
      return as<T>(self).slices(batch, backward != 0);
    };
    table.run_slice = [](void* self, const nnrun_run* run, const nnrun_slice* slice, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).run_slice(Run(run), *slice); });
    };
  }
  if constexpr (requires(const T t) { t.slices_ahead(std::int64_t{}, true); }) {
    table.slices_ahead = [](void* self, std::int64_t batch, std::uint32_t backward) -> std::int64_t {
      return as<T>(self).slices_ahead(batch, backward != 0);
    };
  }
  return table;
}

// initializer: void fill(Tensor weight, int64 fan_in, int64 fan_out, const nnrun_random_key&) const
template <class T>
concept InitializerKind = requires(T t, Tensor w, const nnrun_random_key& key) {
  t.fill(w, std::int64_t{}, std::int64_t{}, key);
};

template <class T>
constexpr nnrun_initializer_vtable initializer_vtable() {
  nnrun_initializer_vtable table{};
  table.size = sizeof table;
  table.fill = [](void* self, nnrun_tensor* weight, std::int64_t fan_in, std::int64_t fan_out, const nnrun_random_key* key,
                  nnrun_error* error) { return guard(error, [&] { as<T>(self).fill(Tensor(*weight), fan_in, fan_out, *key); }); };
  return table;
}

// schedule: double factor(const nnrun_progress&) const noexcept
template <class T>
concept ScheduleKind = requires(T t, const nnrun_progress& progress) {
  { t.factor(progress) } -> std::convertible_to<double>;
};

template <class T>
constexpr nnrun_schedule_vtable schedule_vtable() {
  nnrun_schedule_vtable table{};
  table.size = sizeof table;
  table.factor = [](void* self, const nnrun_progress* progress) { return static_cast<double>(as<T>(self).factor(*progress)); };
  return table;
}

// optimizer: static constexpr const char* const states[] (NULL-terminated); void plan(const Host&);
// double rate(const nnrun_progress&), once a step before its slices; bool step(const nnrun_step&) const noexcept, true when all gradients
// were finite; optionally bool update(const nnrun_step&, nnrun_update&) const noexcept, see nnrun_optimizer_vtable.
template <class T>
concept Optimizer = requires(T t, const nnrun_step& step, const nnrun_progress& progress) {
  { t.step(step) } -> std::convertible_to<bool>;
  { t.rate(progress) } -> std::convertible_to<double>;
  T::states;
};

template <class T>
constexpr nnrun_optimizer_vtable optimizer_vtable() {
  nnrun_optimizer_vtable table{};
  table.size = sizeof table;
  while (T::states[table.state_count] != nullptr) ++table.state_count;
  table.state_names = T::states;
  table.slices = 1;
  table.plan = [](void* self, const nnrun_host* host, nnrun_error* error) { return guard(error, [&] { as<T>(self).plan(Host(host)); }); };
  table.rate = [](void* self, const nnrun_progress* progress) { return static_cast<double>(as<T>(self).rate(*progress)); };
  table.step = [](void* self, const nnrun_step* step) { return as<T>(self).step(*step) ? 0 : 1; };
  if constexpr (requires(const T t, const nnrun_step& step, nnrun_update& update) { t.update(step, update); }) {
    table.update = [](void* self, const nnrun_step* step, nnrun_update* update) { return as<T>(self).update(*step, *update) ? 1 : 0; };
  }
  return table;
}

// loss: void plan(nnrun_loss_plan&); void run(const nnrun_loss_run&) const; optionally
// void probabilities(Tensor output, Tensor probabilities) const, and `static constexpr std::uint32_t outputs` (NNRUN_OUTPUTS_...).
template <class T>
concept Loss = requires(T t, nnrun_loss_plan& plan, const nnrun_loss_run& run) {
  t.plan(plan);
  t.run(run);
};

template <class T>
constexpr nnrun_loss_vtable loss_vtable() {
  nnrun_loss_vtable table{};
  table.size = sizeof table;
  if constexpr (requires { T::outputs; }) table.outputs = T::outputs;
  table.plan = [](void* self, nnrun_loss_plan* plan, nnrun_error* error) { return guard(error, [&] { as<T>(self).plan(*plan); }); };
  table.run = [](void* self, const nnrun_loss_run* run, nnrun_error* error) { return guard(error, [&] { as<T>(self).run(*run); }); };
  if constexpr (requires(T t, Tensor tensor) { t.probabilities(tensor, tensor); }) {
    table.probabilities = [](void* self, const nnrun_tensor* output, nnrun_tensor* probabilities, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).probabilities(Tensor(*output), Tensor(*probabilities)); });
    };
  }
  return table;
}

// metric: std::size_t plan(const nnrun_metric_plan&), which returns how many sums it takes; void add(Tensor output, Tensor labels,
// double* sums) const; double result(const double* sums) const; optionally void table(const double* sums, nnrun_field&) const.
template <class T>
concept Metric = requires(T t, Tensor tensor, double* sums, const nnrun_metric_plan& plan) {
  { t.plan(plan) } -> std::convertible_to<std::size_t>;
  t.add(tensor, tensor, sums);
  { t.result(sums) } -> std::convertible_to<double>;
};

template <class T>
constexpr nnrun_metric_vtable metric_vtable() {
  nnrun_metric_vtable table{};
  table.size = sizeof table;
  table.plan = [](void* self, nnrun_metric_plan* plan, nnrun_error* error) {
    return guard(error, [&] { plan->sums = as<T>(self).plan(*plan); });
  };
  table.add = [](void* self, const nnrun_tensor* output, const nnrun_tensor* labels, double* sums, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).add(Tensor(*output), Tensor(*labels), sums); });
  };
  table.result = [](void* self, const double* sums) { return static_cast<double>(as<T>(self).result(sums)); };
  if constexpr (requires(T t, const double* sums, nnrun_field& field) { t.table(sums, field); }) {
    table.table = [](void* self, const double* sums, nnrun_field* field) { as<T>(self).table(sums, *field); };
  }
  return table;
}

// transform: static constexpr bool augments; nnrun_tensor plan(const Host&, const Tensor& input);
// void apply(const Tensor& x, const Tensor& y, const nnrun_random_key&, bool training) const; optionally
// double own_share(const nnrun_random_key&) const noexcept, which makes it a transform that mixes samples
template <class T>
concept Transform = requires(T t, const Host& host, const Tensor& tensor, const nnrun_random_key& key) {
  { t.plan(host, tensor) } -> std::same_as<nnrun_tensor>;
  t.apply(tensor, tensor, key, true);
};

template <class T>
constexpr nnrun_transform_vtable transform_vtable() {
  nnrun_transform_vtable table{};
  table.size = sizeof table;
  table.augments = T::augments ? 1 : 0;
  table.plan = [](void* self, const nnrun_host* host, const nnrun_tensor* input, nnrun_tensor* output, nnrun_error* error) {
    return guard(error, [&] { *output = as<T>(self).plan(Host(host), Tensor(*input)); });
  };
  table.apply = [](void* self, const nnrun_transform_run* run, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).apply(Tensor(*run->input), Tensor(*run->output), run->key, run->training != 0); });
  };
  if constexpr (requires(T t, const nnrun_random_key& key) { t.own_share(key); }) {
    table.own_share = [](void* self, const nnrun_random_key* key) { return static_cast<double>(as<T>(self).own_share(*key)); };
  }
  return table;
}

// dataset: a class with `using Split = ...`; std::unique_ptr<Split> open(const Host&, const std::string& path, nnrun_split,
// std::uint64_t seed, nnrun_dataset_info&) const. Split has void read(int64 index, Tensor sample, void* label) const.
// Optional: Split's void prefetch(int64 index) const noexcept; int present(const std::string& path) const; static constexpr bool drawn;
// void read_file(const std::string& path, int64 index, Tensor sample) const.
template <class T>
concept Dataset = requires {
  typename T::Split;
  &T::open;
};

template <class T>
constexpr nnrun_dataset_vtable dataset_vtable() {
  nnrun_dataset_vtable table{};
  table.size = sizeof table;
  if constexpr (requires { T::drawn; }) table.drawn = T::drawn ? 1 : 0;
  if constexpr (requires(T t, std::string path) { t.present(path); }) {
    table.present = [](void* self, const char* path) {
      int result = 0;
      return guard(nullptr, [&] { result = as<T>(self).present(path); }) == 0 ? result : 0;
    };
  }
  table.open = [](void* self, const nnrun_host* host, const char* path, nnrun_split split, std::uint64_t seed, nnrun_dataset_info* info,
                  nnrun_error* error) -> void* {
    void* handle = nullptr;
    guard(error, [&] { handle = as<T>(self).open(Host(host), path, split, seed, *info).release(); });
    return handle;
  };
  table.read = [](void* handle, std::int64_t index, const nnrun_tensor* sample, void* label, nnrun_error* error) {
    return guard(error, [&] { as<typename T::Split>(handle).read(index, Tensor(*sample), label); });
  };
  table.close = [](void* handle) { delete static_cast<typename T::Split*>(handle); };
  if constexpr (requires(const typename T::Split& split) { split.prefetch(std::int64_t{}); }) {
    table.prefetch = [](void* handle, std::int64_t index) { as<typename T::Split>(handle).prefetch(index); };
  }
  if constexpr (requires(T t, std::string path, Tensor tensor) { t.read_file(path, std::int64_t{}, tensor); }) {
    table.read_file = [](void* self, const char* path, std::int64_t index, const nnrun_tensor* sample, nnrun_error* error) {
      return guard(error, [&] { as<T>(self).read_file(path, index, Tensor(*sample)); });
    };
  }
  return table;
}

// observer: void open(const Host&, const std::string& folder, int64 position); void event(const nnrun_event&);
// int64 position(); void close()
template <class T>
concept Observer = requires(T t, const nnrun_event& event) {
  t.event(event);
  t.close();
};

template <class T>
constexpr nnrun_observer_vtable observer_vtable() {
  nnrun_observer_vtable table{};
  table.size = sizeof table;
  table.open = [](void* self, const nnrun_host* host, const char* folder, std::int64_t position, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).open(Host(host), folder, position); });
  };
  table.event = [](void* self, const nnrun_event* event, nnrun_error* error) { return guard(error, [&] { as<T>(self).event(*event); }); };
  table.position = [](void* self, nnrun_error* error) -> std::int64_t {
    std::int64_t result = 0;
    return guard(error, [&] { result = as<T>(self).position(); }) == 0 ? result : -1;
  };
  table.close = [](void* self) { guard(nullptr, [&] { as<T>(self).close(); }); };
  return table;
}

// quantizer: void quantize(const nnrun_net_view&, const nnrun_quantized&) const
template <class T>
concept Quantizer = requires(T t, const nnrun_net_view& net, const nnrun_quantized& to) {
  t.quantize(net, to);
};

template <class T>
constexpr nnrun_quantizer_vtable quantizer_vtable() {
  nnrun_quantizer_vtable table{};
  table.size = sizeof table;
  table.quantize = [](void* self, const nnrun_net_view* net, const nnrun_quantized* to, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).quantize(*net, *to); });
  };
  return table;
}

// exporter: void export_net(const nnrun_net_view&, const nnrun_exported&) const
template <class T>
concept Exporter = requires(T t, const nnrun_net_view& net, const nnrun_exported& to) {
  t.export_net(net, to);
};

template <class T>
constexpr nnrun_exporter_vtable exporter_vtable() {
  nnrun_exporter_vtable table{};
  table.size = sizeof table;
  table.export_net = [](void* self, const nnrun_net_view* net, const nnrun_exported* to, nnrun_error* error) {
    return guard(error, [&] { as<T>(self).export_net(*net, *to); });
  };
  return table;
}

}  // namespace detail

}  // namespace nnrun
