// Kernels beside the scalar ones: some of the names in kernels.h, on odd sizes. tests/kernels does more, for the built-in tables.
#include "plugin_check/plugin_check_parts.hpp"
#include "plugins/elf.hpp"

#include <nnrun/fixed_kernels.h>
#include <nnrun/kernels.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace nnrun::core::checking {

namespace {

// Memory that a call reads or writes, by name.
class Operands {
 public:
  float* floats(const std::string& name, std::int64_t count, std::uint32_t which) {
    const GuardedMemory& memory = add(name, static_cast<std::size_t>(count) * sizeof(float));
    fill_away_from_zero(memory.floats(), which);
    return memory.floats().data();
  }
  std::uint8_t* bytes(const std::string& name, std::int64_t count) {
    const GuardedMemory& memory = add(name, static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < memory.bytes(); ++i) static_cast<std::uint8_t*>(memory.data())[i] = static_cast<std::uint8_t>(i * 37 + 11);
    return static_cast<std::uint8_t*>(memory.data());
  }
  float* result(const std::string& name, std::int64_t count) {
    results_.push_back(name);
    return add(name, static_cast<std::size_t>(count) * sizeof(float)).floats().data();
  }
  // In and out.
  float* changed(const std::string& name, std::int64_t count, std::uint32_t which) {
    results_.push_back(name);
    return floats(name, count, which);
  }

  void verify() const {
    for (const auto& [name, memory] : all_) memory.verify(name);
  }
  const std::vector<std::string>& results() const { return results_; }
  std::span<const float> numbers(const std::string& name) const { return all_.at(name).floats(); }

 private:
  const GuardedMemory& add(const std::string& name, std::size_t size) { return all_.emplace(name, size).first->second; }

  std::map<std::string, GuardedMemory> all_;
  std::vector<std::string> results_;
};

// All ranges of all phases, the last range first: their order must not matter.
void run_kernel(const nnrun_kernel& kernel, const void* shape, const void* arguments) {
  nnrun_work work{};
  kernel.work(shape, &work);
  require(work.phases <= NNRUN_MAX_PHASES, "work() gives " + std::to_string(work.phases) + " phases");
  const GuardedMemory workspace(work.workspace);
  for (std::uint32_t phase = 0; phase < work.phases; ++phase) {
    for (std::int64_t range = work.ranges[phase]; range-- > 0;) {
      if (kernel.run_or_fail == nullptr) {
        kernel.run(arguments, workspace.data(), phase, range);
      } else {
        nnrun_error error{};
        require(kernel.run_or_fail(arguments, workspace.data(), phase, range, &error) == 0, error.message);
      }
    }
  }
  workspace.verify("the workspace");
}

// Sets up one call: arguments without pointers, and a function that adds the pointers.
template <class Arguments>
struct Call {
  Arguments shape;
  std::function<void(Arguments&, Operands&)> bind;
  std::string text;
};

// Returns whether the kernel takes the shape.
template <class Arguments>
bool compare(const nnrun_kernel& kernel, const nnrun_kernel& scalar, const Call<Arguments>& call, double tolerance) {
  if (kernel.supports != nullptr && kernel.supports(&call.shape) == 0) return false;
  const auto run = [&](const nnrun_kernel& which, Operands& operands) {
    Arguments arguments = call.shape;
    call.bind(arguments, operands);
    run_kernel(which, &call.shape, &arguments);
    operands.verify();
  };
  Operands got, expected;
  try {
    run(kernel, got);
    run(scalar, expected);
    for (const std::string& name : got.results()) {
      if (tolerance == 0) {
        require_same_bits(got.numbers(name), expected.numbers(name), name);
      } else {
        require_close(got.numbers(name), expected.numbers(name), tolerance, name);
      }
    }
  } catch (const Failure& e) {
    throw Failure("for " + call.text + ": " + e.what());
  }
  return true;
}

const std::vector<std::int64_t> counts = {1, 7, 130, 40000};
using Comparison = std::function<int(const nnrun_kernel&, const nnrun_kernel&)>;

// For kernels over `count` elements.
template <class Arguments>
Comparison elementwise(void (*bind)(Arguments&, Operands&), double tolerance) {
  return [bind, tolerance](const nnrun_kernel& kernel, const nnrun_kernel& scalar) {
    int taken = 0;
    for (const std::int64_t count : counts) {
      Call<Arguments> call{{}, bind, "count " + std::to_string(count)};
      call.shape.count = count;
      taken += compare(kernel, scalar, call, tolerance) ? 1 : 0;
    }
    return taken;
  };
}

int compare_gemm(const nnrun_kernel& kernel, const nnrun_kernel& scalar) {
  int taken = 0;
  for (const Shape& size : {Shape{1, 1, 1}, Shape{7, 13, 5}, Shape{33, 65, 127}, Shape{64, 256, 100}}) {
    for (std::uint32_t variant = 0; variant < 16; ++variant) {
      Call<nnrun_gemm_f32> call{};
      nnrun_gemm_f32& s = call.shape;
      s.m = size[0];
      s.n = size[1];
      s.k = size[2];
      s.transpose_a = variant & 1u;
      s.transpose_b = (variant >> 1) & 1u;
      s.accumulate = (variant >> 2) & 1u;
      s.has_bias = s.relu = s.accumulate == 0 ? (variant >> 3) & 1u : 0;
      s.lda = s.transpose_a != 0 ? s.m : s.k;
      s.ldb = s.transpose_b != 0 ? s.k : s.n;
      s.ldc = s.n;
      call.text = "m, n, k = " + to_string(size) + (s.transpose_a != 0 ? ", A transposed" : "") +
                  (s.transpose_b != 0 ? ", B transposed" : "") + (s.accumulate != 0 ? ", accumulating" : "") +
                  (s.has_bias != 0 ? ", bias and relu" : "");
      call.bind = [](nnrun_gemm_f32& a, Operands& operands) {
        a.a = operands.floats("a", a.m * a.k, 1);
        a.b = operands.floats("b", a.k * a.n, 2);
        a.bias = a.has_bias != 0 ? operands.floats("bias", a.n, 3) : nullptr;
        a.c = a.accumulate != 0 ? operands.changed("c", a.m * a.n, 4) : operands.result("c", a.m * a.n);
      };
      taken += compare(kernel, scalar, call, 1e-5) ? 1 : 0;
    }
  }
  return taken;
}

template <class Arguments>
int compare_rows(const nnrun_kernel& kernel, const nnrun_kernel& scalar, void (*bind)(Arguments&, Operands&)) {
  int taken = 0;
  for (const auto& [rows, columns] : {std::pair{1, 1}, std::pair{7, 10}, std::pair{33, 130}, std::pair{2000, 13}}) {
    Call<Arguments> call{{}, bind, std::to_string(rows) + " rows of " + std::to_string(columns)};
    call.shape.rows = rows;
    call.shape.columns = columns;
    if constexpr (requires { call.shape.ldx; }) call.shape.ldx = columns;
    taken += compare(kernel, scalar, call, 1e-5) ? 1 : 0;
  }
  return taken;
}

// What all optimizer steps have.
template <class Arguments>
void bind_step(Arguments& a, Operands& operands) {
  a.w = operands.changed("w", a.count, 1);
  a.g = operands.floats("g", a.count, 2);
  a.finite = reinterpret_cast<std::uint32_t*>(operands.result("finite", 1));
  *a.finite = 1;
}

const std::map<std::string, Comparison>& comparisons() {
  static const std::map<std::string, Comparison> all = {
      {"gemm_f32", compare_gemm},
      {"relu_f32", elementwise<nnrun_relu_f32>(
                       [](nnrun_relu_f32& a, Operands& operands) {
                         a.x = operands.floats("x", a.count, 1);
                         a.y = operands.result("y", a.count);
                       },
                       0)},
      {"relu_backward_f32", elementwise<nnrun_relu_backward_f32>(
                                [](nnrun_relu_backward_f32& a, Operands& operands) {
                                  a.y = operands.floats("y", a.count, 1);
                                  a.dy = operands.floats("dy", a.count, 2);
                                  a.dx = operands.result("dx", a.count);
                                },
                                0)},
      {"u8_to_f32", elementwise<nnrun_u8_to_f32>(
                        [](nnrun_u8_to_f32& a, Operands& operands) {
                          a.scale = 1.0f / 255;
                          a.offset = -0.25f;
                          a.x = operands.bytes("x", a.count);
                          a.y = operands.result("y", a.count);
                        },
                        0)},
      {"sgd_f32", elementwise<nnrun_sgd_f32>(
                      [](nnrun_sgd_f32& a, Operands& operands) {
                        a.rate = 0.1f;
                        a.decay = 0.01f;
                        bind_step(a, operands);
                      },
                      1e-5)},
      {"momentum_f32", elementwise<nnrun_momentum_f32>(
                           [](nnrun_momentum_f32& a, Operands& operands) {
                             a.rate = 0.1f;
                             a.decay = 0.01f;
                             a.beta = 0.9f;
                             a.nesterov = a.count % 2 == 0 ? 1 : 0;
                             a.v = operands.changed("v", a.count, 3);
                             bind_step(a, operands);
                           },
                           1e-5)},
      {"adam_f32", elementwise<nnrun_adam_f32>(
                       [](nnrun_adam_f32& a, Operands& operands) {
                         a.rate = 0.1f;
                         a.decay = 0.01f;
                         a.beta1 = 0.9f;
                         a.beta2 = 0.99f;
                         a.epsilon = 1e-7f;
                         a.correction1 = 1 / (1 - 0.9f);
                         a.correction2 = 1 / (1 - 0.99f);
                         a.m = operands.changed("m", a.count, 3);
                         a.v = operands.changed("v", a.count, 4);
                         for (std::int64_t i = 0; i < a.count; ++i) a.v[i] = std::abs(a.v[i]);  // a mean of squares
                         bind_step(a, operands);
                       },
                       1e-5)},
      {"column_sum_f32",
       [](const nnrun_kernel& kernel, const nnrun_kernel& scalar) {
         return compare_rows<nnrun_column_sum_f32>(kernel, scalar, [](nnrun_column_sum_f32& a, Operands& operands) {
           a.x = operands.floats("x", a.rows * a.columns, 1);
           a.sum = operands.result("sum", a.columns);
         });
       }},
      {"softmax_f32",
       [](const nnrun_kernel& kernel, const nnrun_kernel& scalar) {
         return compare_rows<nnrun_softmax_f32>(kernel, scalar, [](nnrun_softmax_f32& a, Operands& operands) {
           a.x = operands.floats("x", a.rows * a.columns, 1);
           a.y = operands.result("y", a.rows * a.columns);
         });
       }},
      {"softmax_cross_entropy_f32",
       [](const nnrun_kernel& kernel, const nnrun_kernel& scalar) {
         return compare_rows<nnrun_softmax_cross_entropy_f32>(kernel, scalar, [](nnrun_softmax_cross_entropy_f32& a, Operands& operands) {
           a.scale = 1 / static_cast<float>(a.rows);
           a.smoothing = a.columns > 100 ? 0.1f : 0;
           a.has_gradient = 1;
           a.x = operands.floats("x", a.rows * a.columns, 1);
           auto* label = reinterpret_cast<std::int32_t*>(operands.bytes("label", a.rows * static_cast<std::int64_t>(sizeof(std::int32_t))));
           for (std::int64_t i = 0; i < a.rows; ++i) label[i] = static_cast<std::int32_t>(i % a.columns);
           a.label = label;
           a.loss = operands.result("loss", a.rows);
           a.dx = operands.result("dx", a.rows * a.columns);
         });
       }},
  };
  return all;
}

// The names and arguments that kernels.h and fixed_kernels.h fix.
std::string expected_signature(const std::string& name) {
#define NNRUN_CHECK_ROW(row, bound, doc) \
  if (name == #row) return "nnrun_" #row;
  NNRUN_KERNEL_ROWS(NNRUN_CHECK_ROW)
  NNRUN_FIXED_KERNEL_ROWS(NNRUN_CHECK_ROW)
#undef NNRUN_CHECK_ROW
  return "";
}

bool measures(const std::string& name) {
#define NNRUN_CHECK_ROW(row, bound, doc) \
  if (name == #row) return true;
  NNRUN_MEASURING_KERNEL_ROWS(NNRUN_CHECK_ROW)
#undef NNRUN_CHECK_ROW
  return false;
}

const nnrun_kernel* scalar_kernel(const Registry& registry, const std::string& name) {
  const nnrun_component* scalar = registry.find("kernels", "scalar");
  if (scalar == nullptr) return nullptr;
  const auto& table = *static_cast<const nnrun_kernels_vtable*>(scalar->vtable);
  const auto* found =
      std::find_if(table.kernels, table.kernels + table.count, [&](const nnrun_kernel& kernel) { return name == kernel.name; });
  return found == table.kernels + table.count ? nullptr : found;
}

std::string check_kernel(const nnrun_kernel& kernel, const Registry& registry) {
  const std::string name = kernel.name, signature = expected_signature(name);
  if (measures(name)) throw NotChecked("it measures, and computes nothing that could be compared");
  if (signature.empty()) throw NotChecked("a name of its own: kernels.h does not say what it computes");
  require(signature == kernel.signature, std::string("takes ") + kernel.signature + "; kernels.h says " + signature);
  const nnrun_kernel* scalar = scalar_kernel(registry, name);
  if (scalar == nullptr) throw NotChecked("the scalar kernels, the reference, are not loaded");
  const auto comparison = comparisons().find(name);
  if (comparison == comparisons().end()) throw NotChecked("there is no comparison for it here; tests/kernels in nnrun's sources has one");
  const int taken = comparison->second(kernel, *scalar);
  if (taken == 0) throw NotChecked("it supports none of the shapes that were tried");
  return "as the scalar one, on " + std::to_string(taken) + " shapes";
}

}  // namespace

void check_kernels(const nnrun_component& component, const Registry& registry, Report& report) {
  const auto& table = *static_cast<const nnrun_kernels_vtable*>(component.vtable);
  const bool complete = report.check("table", [&] {
    require(table.count > 0 && table.kernels != nullptr, "has no kernels");
    for (std::uint32_t i = 0; i < table.count; ++i) {
      const nnrun_kernel& kernel = table.kernels[i];
      require(kernel.size >= sizeof(nnrun_kernel) && kernel.name != nullptr && kernel.signature != nullptr && kernel.work != nullptr &&
                  (kernel.run != nullptr) != (kernel.run_or_fail != nullptr),
              "entry " + std::to_string(i) + " lacks its name, signature, work(), or one of run() and run_or_fail()");
    }
    for (const auto& plugin : registry.plugins()) {
      const auto* end = plugin.plugin->components + plugin.plugin->component_count;
      if (std::find(plugin.plugin->components, end, &component) == end) continue;
      require(count_constructors(plugin.file) <= 1,
              "the library has global constructors, which run before nnrun has looked at the CPU: make every global constinit");
    }
    return std::to_string(table.count) + " kernels";
  });
  if (!complete) return;
  for (std::uint32_t i = 0; i < table.count; ++i) {
    report.check(table.kernels[i].name, [&] { return check_kernel(table.kernels[i], registry); });
  }
}

}  // namespace nnrun::core::checking
