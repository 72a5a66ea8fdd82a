// Kernels in RISC-V assembly, on an engine in this process.
#include "engine/count_table.hpp"
#include "engine/pool.hpp"
#include "engine/unicorn_guest.hpp"
#include "image.hpp"
#include "rows.hpp"

#include <memory>
#include <nnrun/plugin.hpp>

namespace {

using namespace nnrun_riscv;

// Below the reference: a kernel on an emulated processor runs only where it is asked for.
constexpr int32_t score = -100;

CountTable& counts() {
  static CountTable table;
  return table;
}

Pool<UnicornGuest>& engines() {
  static Pool<UnicornGuest> pool;
  return pool;
}

template <class Arguments>
void work(const void* arguments, nnrun_work* work) {
  work_of_row(*static_cast<const Arguments*>(arguments), *work);
}

template <class Arguments>
int run(const void* arguments, void*, uint32_t, int64_t range, nnrun_error* error) {
  return nnrun::detail::guard(error, [&] {
    engines().with([] { return std::make_unique<UnicornGuest>(rv32_kernels()); },
                   [&](UnicornGuest& guest) {
                     const bool counting = counts().on();
                     guest.machine().set_counting(counting);
                     run_row(guest, *static_cast<const Arguments*>(arguments), range);
                     if (counting) counts().add(guest.machine().take_counts());
                   });
  });
}

int set_counting(int on, nnrun_error* error) {
  return nnrun::detail::guard(error, [&] { counts().set(on != 0); });
}

int hand_over_counts(void* context, void (*take)(void*, const nnrun_instruction_count*), nnrun_error* error) {
  return nnrun::detail::guard(error, [&] { counts().hand_over(rv32_kernels(), rv32_listing(), "kernel_end", context, take); });
}

#define ENTRY(row) {sizeof(nnrun_kernel), score, #row, "nnrun_" #row, nullptr, work<nnrun_##row>, nullptr, nullptr, 0, run<nnrun_##row>, 0},

constexpr nnrun_kernel kernels[] = {NNRUN_RISCV_ROWS(ENTRY)};
constexpr nnrun_kernels_vtable table = {sizeof table, std::size(kernels), kernels, set_counting, hand_over_counts};
constexpr nnrun_component component = {sizeof component,
                                       0,
                                       "kernels",
                                       "riscv",
                                       "RV32IM assembly, on an emulated processor in this process; only where asked for",
                                       nullptr,
                                       0,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       &table};
constexpr const nnrun_component* components[] = {&component};

}  // namespace

extern "C" {
__attribute__((visibility("default"))) extern constinit const nnrun_plugin nnrun_plugin_v1;
constinit const nnrun_plugin nnrun_plugin_v1 = {
    sizeof(nnrun_plugin), NNRUN_ABI_MAJOR, NNRUN_ABI_MINOR, std::size(components), "riscv", "1.0.0", NNRUN_BUILD, "", components};
}
