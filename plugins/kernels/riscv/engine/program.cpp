#include "program.hpp"

#include "unicorn_machine.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <cerrno>
#include <set>

namespace nnrun_riscv {

namespace {

constexpr unsigned sp = 2, a0 = 10, a1 = 11, a2 = 12, a3 = 13, a7 = 17;
constexpr std::uint32_t heap_begin = 0x20000000, stack_top = 0x70000000;
constexpr std::size_t heap_bytes = std::size_t{1} << 30, stack_bytes = std::size_t{1} << 20;

class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw nnrun::Error("no memory for a RISC-V program: " + std::to_string(bytes) + " bytes");
    data_ = static_cast<unsigned char*>(memory);
  }
  ~Memory() { munmap(data_, bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  unsigned char* data() const { return data_; }

 private:
  std::size_t bytes_;
  unsigned char* data_;
};

class System {
 public:
  System(const ElfFile& elf, Dialect dialect) : dialect_(dialect), heap_(heap_bytes), stack_(stack_bytes), machine_(elf) {
    machine_.map(heap_begin, heap_.data(), heap_bytes);
    machine_.map(stack_top - static_cast<std::uint32_t>(stack_bytes), stack_.data(), stack_bytes);
    machine_.on_ecall = [this] { return dialect_ == Dialect::venus ? venus_call() : linux_call(); };
  }
  ~System() {
    for (const int file : open_) close(file);
  }
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  ProgramResult run(std::uint64_t entry, const std::vector<std::string>& arguments, std::uint64_t budget) {
    std::uint32_t top = stack_top;
    std::vector<std::uint32_t> words = {static_cast<std::uint32_t>(arguments.size())};
    for (const std::string& argument : arguments) {
      top -= static_cast<std::uint32_t>(argument.size() + 1);
      put(top, argument.c_str(), argument.size() + 1);
      words.push_back(top);
    }
    words.insert(words.end(), 3, 0);  // the ends of argv, of the environment, of the auxiliary vector
    top = (top - static_cast<std::uint32_t>(words.size() * 4)) & ~15u;
    put(top, words.data(), words.size() * 4);
    Registers registers{};
    registers[sp] = top;
    registers[a0] = words[0];
    registers[a1] = top + 4;
    machine_.set_registers(registers);
    machine_.run(static_cast<std::uint32_t>(entry), 0, budget);
    if (!ended_) throw nnrun::Error("the RISC-V program ended without an exit");
    result_.instructions = machine_.instructions();
    return result_;
  }

 private:
  void put(std::uint32_t address, const void* from, std::size_t bytes) {
    if (!machine_.write(address, from, bytes)) throw nnrun::Error("the arguments do not fit the RISC-V program's stack");
  }

  // A zero-terminated string; false where it leaves memory, or has no end.
  bool text(std::uint32_t address, std::string& to) {
    for (char c; to.size() < 4096; to += c) {
      if (!machine_.read(address + static_cast<std::uint32_t>(to.size()), &c, 1)) return false;
      if (c == '\0') return true;
    }
    return false;
  }

  std::int32_t open_file(std::uint32_t path, int flags) {
    std::string name;
    if (!text(path, name)) return -EFAULT;
    const int file = open(name.c_str(), flags | O_CLOEXEC, 0644);
    if (file < 0) return -errno;
    open_.insert(file);
    return file;
  }

  // Reads and writes of no more than 1 MiB at once: programs must go on until they have all.
  std::int32_t transfer(std::int32_t file, std::uint32_t address, std::uint32_t bytes, bool to_file) {
    if (open_.count(file) == 0 && !(to_file && (file == 1 || file == 2))) return -EBADF;
    std::vector<char> buffer(std::min<std::uint32_t>(bytes, 1u << 20));
    if (to_file) {
      if (!machine_.read(address, buffer.data(), buffer.size())) return -EFAULT;
      if (open_.count(file) == 0) {
        if (file == 1) result_.output.append(buffer.data(), buffer.size());
        return static_cast<std::int32_t>(buffer.size());
      }
    }
    const ssize_t count = to_file ? write(file, buffer.data(), buffer.size()) : read(file, buffer.data(), buffer.size());
    if (count < 0) return -errno;
    if (!to_file && !machine_.write(address, buffer.data(), static_cast<std::size_t>(count))) return -EFAULT;
    return static_cast<std::int32_t>(count);
  }

  std::int32_t close_file(std::int32_t file) {
    if (open_.erase(file) == 0) return -EBADF;
    return close(file) == 0 ? 0 : -errno;
  }

  bool end(std::uint32_t code) {
    result_.exit_code = static_cast<int>(code & 255u);
    ended_ = true;
    return false;
  }

  bool linux_call() {
    const std::uint32_t x = machine_.get(a0), y = machine_.get(a1), z = machine_.get(a2);
    std::int32_t result = -ENOSYS;
    switch (machine_.get(a7)) {
      case 56:
        if (dialect_ == Dialect::linux) result = open_file(y, static_cast<int>(z));
        break;
      case 1024:
        if (dialect_ == Dialect::linux_open) result = open_file(x, static_cast<int>(y));
        break;
      case 57: result = close_file(static_cast<std::int32_t>(x)); break;
      case 63: result = transfer(static_cast<std::int32_t>(x), y, z, false); break;
      case 64: result = transfer(static_cast<std::int32_t>(x), y, z, true); break;
      case 46: result = open_.count(static_cast<int>(x)) == 0 ? -EBADF : ftruncate(static_cast<int>(x), z) == 0 ? 0 : -errno; break;
      case 214:
        if (x >= heap_begin && x - heap_begin <= heap_bytes) heap_end_ = x;
        result = static_cast<std::int32_t>(heap_end_);
        break;
      case 93: return end(x);
      default: break;
    }
    machine_.set(a0, static_cast<std::uint32_t>(result));
    return true;
  }

  bool venus_call() {
    const std::uint32_t x = machine_.get(a1), y = machine_.get(a2), z = machine_.get(a3);
    std::int32_t result = -1;
    switch (machine_.get(a0)) {
      case 9:
        result = 0;  // none left
        if (x <= heap_bytes - (heap_end_ - heap_begin)) {
          result = static_cast<std::int32_t>(heap_end_);
          heap_end_ += x;
        }
        break;
      case 11: result_.output += static_cast<char>(x); return true;
      case 13: result = open_file(x, y == 1 ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY); break;
      case 14: result = transfer(static_cast<std::int32_t>(x), y, z, false); break;
      case 15: result = transfer(static_cast<std::int32_t>(x), y, z, true); break;
      case 16: result = close_file(static_cast<std::int32_t>(x)); break;
      case 17: return end(x);
      default: break;
    }
    machine_.set(a0, static_cast<std::uint32_t>(result));
    return true;
  }

  Dialect dialect_;
  Memory heap_, stack_;
  UnicornMachine machine_;
  std::uint32_t heap_end_ = heap_begin;
  std::set<int> open_;
  ProgramResult result_;
  bool ended_ = false;
};

}  // namespace

ProgramResult run_program(const ElfFile& elf, const std::vector<std::string>& arguments, Dialect dialect, std::uint64_t budget) {
  System system(elf, dialect);
  return system.run(elf.entry, arguments, budget);
}

}  // namespace nnrun_riscv
