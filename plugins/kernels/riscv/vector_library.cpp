// Kernels in RISC-V assembly with vectors, in worker processes: of this machine, where it is a RISC-V one, or under
// qemu's user mode. The build says how long vectors are, in bits:
// NNRUN_VECTOR_BITS, and the table's name.
#include "engine/count_table.hpp"
#include "engine/pool.hpp"
#include "engine/worker_guest.hpp"
#include "image.hpp"
#include "rows.hpp"

#include <dlfcn.h>
#include <nnrun/plugin.hpp>

#include <filesystem>

namespace {

using namespace nnrun_riscv;

// Below the reference: a kernel on an emulated processor runs only where it is asked for.
constexpr int32_t score = -200;

Pool<WorkerGuest>& workers() {
  static Pool<WorkerGuest> pool;
  return pool;
}

template <class Arguments>
void work(const void* arguments, nnrun_work* work) {
  work_of_row(*static_cast<const Arguments*>(arguments), *work);
}

CountTable& counts() {
  static CountTable table;
  return table;
}

// The translator's plugin lies in the folder above this library's.
std::string counter() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&counts), &info) == 0) throw nnrun::Error("where this library lies is not known");
  const std::filesystem::path here = std::filesystem::canonical(info.dli_fname);
  return (here.parent_path().parent_path() / "libnnrun_instruction_counts.so").string();
}

// A worker says its counts when it ends: one for each call, then.
template <class Arguments>
void run_counted(const Arguments& arguments, int64_t range) {
  WorkerGuest guest(rv64_vector_file(), rv64_vector_kernels(), launch_for(this_host(), 64, NNRUN_VECTOR_BITS, true), counter());
  run_row(guest, arguments, range);
  counts().add(guest.finish());
}

template <class Arguments>
int run(const void* arguments, void*, uint32_t, int64_t range, nnrun_error* error) {
  return nnrun::detail::guard(error, [&] {
    if (counts().on()) return run_counted(*static_cast<const Arguments*>(arguments), range);
    const auto make = [] {
      return std::make_unique<WorkerGuest>(rv64_vector_file(), rv64_vector_kernels(),
                                           launch_for(this_host(), 64, NNRUN_VECTOR_BITS, false));
    };
    workers().with(make, [&](WorkerGuest& guest) { run_row(guest, *static_cast<const Arguments*>(arguments), range); });
  });
}

int set_counting(int on, nnrun_error* error) {
  return nnrun::detail::guard(error, [&] { counts().set(on != 0); });
}

int hand_over_counts(void* context, void (*take)(void*, const nnrun_instruction_count*), nnrun_error* error) {
  return nnrun::detail::guard(error, [&] { counts().hand_over(rv64_vector_kernels(), rv64_vector_listing(), "_start", context, take); });
}

#define ENTRY(row) {sizeof(nnrun_kernel), score, #row, "nnrun_" #row, nullptr, work<nnrun_##row>, nullptr, nullptr, 0, run<nnrun_##row>, 0},

constexpr nnrun_kernel kernels[] = {NNRUN_RISCV_ROWS(ENTRY)};
constexpr nnrun_kernels_vtable table = {sizeof table, std::size(kernels), kernels, set_counting, hand_over_counts};
constexpr nnrun_component component = {
    sizeof component,
    0,
    "kernels",
    NNRUN_TABLE_NAME,
    "RV64 assembly with vectors (RVV 1.0), in workers: this machine's, or under qemu; only where asked for",
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
    sizeof(nnrun_plugin), NNRUN_ABI_MAJOR, NNRUN_ABI_MINOR, std::size(components), NNRUN_TABLE_NAME, "1.0.0", NNRUN_BUILD, "", components};
}
