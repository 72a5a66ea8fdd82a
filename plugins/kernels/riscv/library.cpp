// Kernels in RISC-V assembly, on an engine in this process.
#include "engine/listing.hpp"
#include "engine/unicorn_guest.hpp"
#include "image.hpp"
#include "rows.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <nnrun/plugin.hpp>

namespace {

using namespace nnrun_riscv;

// Below the reference: a kernel on an emulated processor runs only where it is asked for.
constexpr int32_t score = -100;

struct Counts {
  std::mutex mutex;
  std::vector<std::uint64_t> of_place;
};

std::atomic<bool> counting_now = false;

Counts& counts_so_far() {
  static Counts counts;
  return counts;
}

// An engine of this thread alone as long as this object lives. Engines take milliseconds to make, so they are kept for the next one.
class Engine {
 public:
  Engine() {
    Idle& all = idle();
    const std::lock_guard lock(all.mutex);
    if (!all.engines.empty()) {
      engine_ = std::move(all.engines.back());
      all.engines.pop_back();
    }
  }
  ~Engine() {
    if (!engine_) return;
    Idle& all = idle();
    const std::lock_guard lock(all.mutex);
    all.engines.push_back(std::move(engine_));
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  UnicornGuest& guest() {
    if (!engine_) engine_ = std::make_unique<UnicornGuest>(rv32_kernels());
    return *engine_;
  }

 private:
  struct Idle {
    std::mutex mutex;
    std::vector<std::unique_ptr<UnicornGuest>> engines;
  };
  static Idle& idle() {
    static Idle all;
    return all;
  }

  std::unique_ptr<UnicornGuest> engine_;
};

void add_counts(UnicornMachine& machine) {
  const std::vector<std::uint64_t> more = machine.take_counts();
  Counts& counts = counts_so_far();
  const std::lock_guard lock(counts.mutex);
  counts.of_place.resize(more.size(), 0);
  for (std::size_t i = 0; i < more.size(); ++i) counts.of_place[i] += more[i];
}

template <class Arguments>
void work(const void* arguments, nnrun_work* work) {
  work_of_row(*static_cast<const Arguments*>(arguments), *work);
}

template <class Arguments>
int run(const void* arguments, void*, uint32_t, int64_t range, nnrun_error* error) {
  return nnrun::detail::guard(error, [&] {
    Engine engine;
    UnicornMachine& machine = engine.guest().machine();
    const bool counting = counting_now;
    machine.set_counting(counting);
    run_row(engine.guest(), *static_cast<const Arguments*>(arguments), range);
    if (counting) add_counts(machine);
  });
}

int set_counting(int on, nnrun_error* error) {
  return nnrun::detail::guard(error, [&] {
    Counts& counts = counts_so_far();
    const std::lock_guard lock(counts.mutex);
    if (on != 0) counts.of_place.clear();
    counting_now = on != 0;
  });
}

int hand_over_counts(void* context, void (*take)(void*, const nnrun_instruction_count*), nnrun_error* error) {
  return nnrun::detail::guard(error, [&] {
    static const std::vector<ListedInstruction> listed = parse_listing(rv32_listing());
    const ElfFile& elf = rv32_kernels();
    const std::uint64_t begin = CodeMap(elf).begin();
    Counts& counts = counts_so_far();
    const std::lock_guard lock(counts.mutex);
    for (const ListedInstruction& instruction : listed) {
      const Function* function = function_at(elf, instruction.address);
      if (function == nullptr || function->name == "kernel_end") continue;  // padding, and what never runs
      const std::size_t place = (instruction.address - begin) / 2;
      nnrun_instruction_count row{};
      row.size = sizeof row;
      row.kind = instruction.kind;
      row.function = function->name.c_str();
      row.text = instruction.text.c_str();
      row.address = instruction.address;
      row.target = instruction.target;
      row.count = place < counts.of_place.size() ? counts.of_place[place] : 0;
      take(context, &row);
    }
  });
}

#define ENTRY(row, bound, doc)                                                                                                      \
  {sizeof(nnrun_kernel), score, #row, "nnrun_" #row, nullptr, work<nnrun_##row>, nullptr, nullptr, 0, run<nnrun_##row>},

constexpr nnrun_kernel kernels[] = {NNRUN_FIXED_KERNEL_ROWS(ENTRY)};
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
