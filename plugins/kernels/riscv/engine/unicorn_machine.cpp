#include "unicorn_machine.hpp"

#include "fault.hpp"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unicorn/unicorn.h>
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace nnrun_riscv {

namespace {

constexpr std::uint64_t page = 4096;

// Unicorn reserves this much address space for an engine's translated code, and ends the process where it can't have it.
constexpr rlim_t reserved_by_an_engine = rlim_t{1536} << 20;

// Unicorn is opened when the first engine is made: it is large, and most runs of nnrun need none of it.
struct Unicorn {
  decltype(&uc_close) close;
  decltype(&uc_emu_start) emu_start;
  decltype(&uc_emu_stop) emu_stop;
  decltype(&uc_hook_add) hook_add;
  decltype(&uc_hook_del) hook_del;
  decltype(&uc_mem_map) mem_map;
  decltype(&uc_mem_map_ptr) mem_map_ptr;
  decltype(&uc_mem_read) mem_read;
  decltype(&uc_mem_write) mem_write;
  decltype(&uc_open) open;
  decltype(&uc_reg_read) reg_read;
  decltype(&uc_reg_read_batch) reg_read_batch;
  decltype(&uc_reg_write) reg_write;
  decltype(&uc_reg_write_batch) reg_write_batch;
  decltype(&uc_strerror) strerror;
  decltype(&uc_ctl) ctl;
};

const Unicorn& unicorn() {
  static const Unicorn api = [] {
    void* library = dlopen("libunicorn.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw nnrun::Error(std::string("the RISC-V engine needs Unicorn 2 (Debian: libunicorn2): ") + dlerror());
    const auto find = [&](const char* name) {
      void* symbol = dlsym(library, name);
      if (symbol == nullptr) throw nnrun::Error(std::string("libunicorn.so.2 has no ") + name);
      return symbol;
    };
    Unicorn u{};
    u.close = reinterpret_cast<decltype(u.close)>(find("uc_close"));
    u.emu_start = reinterpret_cast<decltype(u.emu_start)>(find("uc_emu_start"));
    u.emu_stop = reinterpret_cast<decltype(u.emu_stop)>(find("uc_emu_stop"));
    u.hook_add = reinterpret_cast<decltype(u.hook_add)>(find("uc_hook_add"));
    u.hook_del = reinterpret_cast<decltype(u.hook_del)>(find("uc_hook_del"));
    u.mem_map = reinterpret_cast<decltype(u.mem_map)>(find("uc_mem_map"));
    u.mem_map_ptr = reinterpret_cast<decltype(u.mem_map_ptr)>(find("uc_mem_map_ptr"));
    u.mem_read = reinterpret_cast<decltype(u.mem_read)>(find("uc_mem_read"));
    u.mem_write = reinterpret_cast<decltype(u.mem_write)>(find("uc_mem_write"));
    u.open = reinterpret_cast<decltype(u.open)>(find("uc_open"));
    u.reg_read = reinterpret_cast<decltype(u.reg_read)>(find("uc_reg_read"));
    u.reg_read_batch = reinterpret_cast<decltype(u.reg_read_batch)>(find("uc_reg_read_batch"));
    u.reg_write = reinterpret_cast<decltype(u.reg_write)>(find("uc_reg_write"));
    u.reg_write_batch = reinterpret_cast<decltype(u.reg_write_batch)>(find("uc_reg_write_batch"));
    u.strerror = reinterpret_cast<decltype(u.strerror)>(find("uc_strerror"));
    u.ctl = reinterpret_cast<decltype(u.ctl)>(find("uc_ctl"));
    return u;
  }();
  return api;
}

void check(uc_err status, const char* what) {
  if (status != UC_ERR_OK) throw nnrun::Error(std::string("Unicorn could not ") + what + ": " + unicorn().strerror(status));
}

// Translated code of [begin, end): blocks begin at every instruction.
void forget(uc_engine* engine, std::uint64_t begin, std::uint64_t end) {
  check(unicorn().ctl(engine, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), begin, end), "forget translated code");
}

// Causes of traps, RISC-V privileged specification, table of mcause. An ECALL from user mode is 8.
constexpr std::uint32_t illegal_instruction = 2, breakpoint = 3, ecall_from_user = 8, ecall_from_machine = 11;

std::string cause_name(std::uint32_t cause) {
  if (cause == illegal_instruction) return "an illegal instruction";
  if (cause == breakpoint) return "a breakpoint";
  return "trap " + std::to_string(cause);
}

}  // namespace

struct UnicornMachine::State {
  explicit State(const ElfFile& program) : elf(program), code(program) {}

  const ElfFile& elf;
  CodeMap code;
  uc_engine* engine = nullptr;
  std::function<bool()>* on_ecall = nullptr;

  std::uint64_t instructions = 0, budget = 0;
  bool exhausted = false;
  std::string fault;                          // what happened, at a fault
  bool behind_fault = false;                  // the pc has gone on by 4 already
  std::optional<std::uint32_t> memory_fault;  // the address that was not to be accessed
  std::uint32_t last_pc = 0;                  // while every instruction is watched

  bool counting = false;
  // Differences: what runs from place a up to place b counts +1 at a and -1 at b. Sums of them are the counts.
  std::vector<std::uint64_t> differences;

  uc_err start(std::uint32_t pc, std::uint32_t until, std::uint64_t limit);

  static void block(uc_engine*, std::uint64_t address, std::uint32_t size, void* self) {
    auto& state = *static_cast<State*>(self);
    if (!state.code.contains(address, size)) return;
    state.instructions += state.code.instructions(address, size);
    if (state.instructions > state.budget) {
      state.exhausted = true;
      unicorn().emu_stop(state.engine);
      return;
    }
    if (state.counting) {
      const std::size_t place = (address - state.code.begin()) / 2;
      ++state.differences[place];
      --state.differences[place + size / 2];
    }
  }

  static void instruction(uc_engine*, std::uint64_t address, std::uint32_t, void* self) {
    static_cast<State*>(self)->last_pc = static_cast<std::uint32_t>(address);
  }

  static void interrupt(uc_engine*, std::uint32_t cause, void* self) {
    auto& state = *static_cast<State*>(self);
    if ((cause == ecall_from_user || cause == ecall_from_machine) && state.on_ecall != nullptr && *state.on_ecall) {
      if (!(*state.on_ecall)()) unicorn().emu_stop(state.engine);
      return;
    }
    state.fault = cause_name(cause);
    state.behind_fault = true;
    unicorn().emu_stop(state.engine);
  }

  static bool invalid_memory(uc_engine*, uc_mem_type type, std::uint64_t address, int size, std::int64_t, void* self) {
    auto& state = *static_cast<State*>(self);
    const bool write = type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    const bool fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
    const bool unmapped = type == UC_MEM_READ_UNMAPPED || type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_FETCH_UNMAPPED;
    state.memory_fault = static_cast<std::uint32_t>(address);
    state.fault = std::string(write   ? "a store of "
                              : fetch ? "a jump to "
                                      : "a load of ") +
                  (fetch ? "" : std::to_string(size) + (size == 1 ? " byte at " : " bytes at ")) + hexadecimal(address) +
                  (unmapped ? ", where there is no memory" : ", which is not allowed there");
    return false;
  }
};

UnicornMachine::UnicornMachine(const ElfFile& elf) : state_(std::make_unique<State>(elf)) {
  if (elf.bits != 32) throw nnrun::Error("the engine in the process runs RV32, this program is for RV64");
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < reserved_by_an_engine) {
    throw nnrun::Error("the RISC-V engine reserves 1 GiB of address space, and this process may have " +
                       std::to_string(limit.rlim_cur >> 20) + " MiB (ulimit -v)");
  }
  State& state = *state_;
  check(unicorn().open(UC_ARCH_RISCV, UC_MODE_RISCV32, &state.engine), "start a RV32 engine");
  try {
    for (const Segment& segment : elf.segments) {
      const std::uint64_t begin = segment.address / page * page;
      const std::uint64_t end = (segment.address + segment.size + page - 1) / page * page;
      std::uint32_t rights = UC_PROT_READ;
      if (segment.writable) rights |= UC_PROT_WRITE;
      if (segment.executable) rights |= UC_PROT_EXEC;
      check(unicorn().mem_map(state.engine, begin, end - begin, rights), "map a segment of the program");
      if (!segment.bytes.empty()) {
        check(unicorn().mem_write(state.engine, segment.address, segment.bytes.data(), segment.bytes.size()), "write the program");
      }
    }
    uc_hook hook = 0;
    check(unicorn().hook_add(state.engine, &hook, UC_HOOK_BLOCK, reinterpret_cast<void*>(&State::block), &state, 1, 0), "hook blocks");
    check(unicorn().hook_add(state.engine, &hook, UC_HOOK_INTR, reinterpret_cast<void*>(&State::interrupt), &state, 1, 0), "hook traps");
    check(unicorn().hook_add(state.engine, &hook, UC_HOOK_MEM_INVALID, reinterpret_cast<void*>(&State::invalid_memory), &state, 1, 0),
          "hook faults");
  } catch (...) {
    unicorn().close(state.engine);
    throw;
  }
}

UnicornMachine::~UnicornMachine() { unicorn().close(state_->engine); }

void UnicornMachine::map(std::uint32_t address, unsigned char* host, std::size_t bytes) {
  check(unicorn().mem_map_ptr(state_->engine, address, bytes, UC_PROT_READ | UC_PROT_WRITE, host), "map memory");
}

uc_err UnicornMachine::State::start(std::uint32_t pc, std::uint32_t until, std::uint64_t limit) {
  instructions = 0;
  budget = limit;
  exhausted = false;
  behind_fault = false;
  memory_fault.reset();
  fault.clear();
  return unicorn().emu_start(engine, pc, until, 0, 0);
}

void UnicornMachine::run(std::uint32_t pc, std::uint32_t until, std::uint64_t budget) {
  State& state = *state_;
  state.on_ecall = &on_ecall;
  const Registers before = registers();
  uc_err status = state.start(pc, until, budget);
  if (status == UC_ERR_OK && state.fault.empty() && !state.exhausted) return;

  std::uint32_t at = 0;
  unicorn().reg_read(state.engine, UC_RISCV_REG_PC, &at);
  if (state.behind_fault) at -= 4;
  std::string where = "at pc ";
  if (state.memory_fault) {
    // The engine only knows in which block it was. What has no side effects is run again, with an eye on every instruction.
    where = "in the block at pc ";
    if (!on_ecall) {
      uc_hook hook = 0;
      const bool counting = std::exchange(state.counting, false);
      const std::uint64_t code_begin = state.code.begin(), code_end = code_begin + state.code.places() * 2;
      forget(state.engine, code_begin, code_end);
      check(unicorn().hook_add(state.engine, &hook, UC_HOOK_CODE, reinterpret_cast<void*>(&State::instruction), &state, 1, 0), "watch");
      set_registers(before);
      const std::uint32_t first_fault = *state.memory_fault;
      status = state.start(pc, until, budget);
      if (state.memory_fault == first_fault) {
        at = state.last_pc;
        where = "at pc ";
      }
      unicorn().hook_del(state.engine, hook);
      forget(state.engine, code_begin, code_end);
      state.counting = counting;
    }
  }
  const std::string what = state.exhausted                 ? "more than " + std::to_string(budget) + " instructions, its budget"
                           : !state.fault.empty()          ? state.fault
                           : status == UC_ERR_INSN_INVALID ? "an instruction that the engine does not have"
                                                           : unicorn().strerror(status);
  std::array<std::uint64_t, 32> values{};
  const Registers narrow = registers();
  std::copy(narrow.begin(), narrow.end(), values.begin());
  throw nnrun::Error(fault_text(state.elf, what, where, at, values));
}

Registers UnicornMachine::registers() const {
  Registers values{};
  int names[32];
  void* places[32];
  for (int i = 0; i < 32; ++i) {
    names[i] = UC_RISCV_REG_X0 + i;
    places[i] = &values[static_cast<std::size_t>(i)];
  }
  check(unicorn().reg_read_batch(state_->engine, names, places, 32), "read registers");
  return values;
}

void UnicornMachine::set_registers(const Registers& values) {
  int names[31];
  const void* places[31];
  for (int i = 0; i < 31; ++i) {
    names[i] = UC_RISCV_REG_X1 + i;
    places[i] = &values[static_cast<std::size_t>(i) + 1];
  }
  check(unicorn().reg_write_batch(state_->engine, names, const_cast<void* const*>(places), 31), "write registers");
}

std::uint32_t UnicornMachine::get(unsigned index) const {
  std::uint32_t value = 0;
  check(unicorn().reg_read(state_->engine, UC_RISCV_REG_X0 + static_cast<int>(index), &value), "read a register");
  return value;
}

void UnicornMachine::set(unsigned index, std::uint32_t value) {
  check(unicorn().reg_write(state_->engine, UC_RISCV_REG_X0 + static_cast<int>(index), &value), "write a register");
}

bool UnicornMachine::read(std::uint32_t address, void* to, std::size_t bytes) const {
  return bytes == 0 || unicorn().mem_read(state_->engine, address, to, bytes) == UC_ERR_OK;
}

bool UnicornMachine::write(std::uint32_t address, const void* from, std::size_t bytes) {
  return bytes == 0 || unicorn().mem_write(state_->engine, address, from, bytes) == UC_ERR_OK;
}

std::uint64_t UnicornMachine::instructions() const { return state_->instructions; }

void UnicornMachine::set_counting(bool on) {
  state_->counting = on;
  if (on && state_->differences.empty()) state_->differences.assign(state_->code.places() + 1, 0);
}

std::vector<std::uint64_t> UnicornMachine::take_counts() {
  std::vector<std::uint64_t> counts(state_->code.places(), 0);
  if (state_->differences.empty()) return counts;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = sum += state_->differences[i];
  std::fill(state_->differences.begin(), state_->differences.end(), 0);
  return counts;
}

const CodeMap& UnicornMachine::code() const { return state_->code; }

}  // namespace nnrun_riscv
