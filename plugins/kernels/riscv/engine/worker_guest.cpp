#include "worker_guest.hpp"

#include "fault.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nnrun/plugin.hpp>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

extern "C" char** environ;

namespace nnrun_riscv {

namespace {

constexpr std::uint64_t shared_address = 0x40000000;  // as in vector/worker.S
constexpr std::size_t shared_bytes = 0x10000000;
constexpr std::uint64_t stack = 32, fault = 33;
constexpr int patience_ms = 60000;

std::string what_happened(int signal, std::uint64_t address) {
  if (signal == SIGILL) return "an illegal instruction";
  if (signal == SIGTRAP) return "a breakpoint";
  if (signal == SIGBUS) return "an access to " + hexadecimal(address) + ", behind the end of what is mapped there";
  return "an access to " + hexadecimal(address) + ", where there is no memory, or where it is not allowed";
}

[[noreturn]] void give_up(const std::string& what) { throw nnrun::Error("the RISC-V worker: " + what + ": " + std::strerror(errno)); }

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u  // Linux 6.3: where files in memory are not to be executed unless it was said
#endif

int memory_file(const char* name, unsigned flags) {
  int file = memfd_create(name, MFD_CLOEXEC | flags);
  if (file < 0 && errno == EINVAL) file = memfd_create(name, MFD_CLOEXEC);
  if (file < 0) give_up("no memory to share");
  return file;
}

}  // namespace

WorkerGuest::OpenFile::~OpenFile() { close(file_); }

WorkerGuest::SharedMemory::SharedMemory(int file) {
  if (ftruncate(file, shared_bytes) != 0) give_up("no memory to share");
  void* mapped = mmap(nullptr, shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) give_up("no memory to share");
  data_ = static_cast<unsigned char*>(mapped);
}

WorkerGuest::SharedMemory::~SharedMemory() { munmap(data_, shared_bytes); }

WorkerGuest::WorkerGuest(std::span<const unsigned char> file, const ElfFile& elf, Launch launch, std::string counter)
    : elf_(elf),
      launch_(std::move(launch)),
      counter_(std::move(counter)),
      shared_(memory_file("nnrun_riscv_memory", 0)),
      program_(memory_file("nnrun_riscv_worker", MFD_EXEC)),
      mapped_(shared_),
      memory_(shared_address, mapped_.data(), shared_bytes) {
  for (std::size_t done = 0; done < file.size();) {
    const ssize_t count = write(program_, file.data() + done, file.size() - done);
    if (count < 0) give_up("its program could not be written");
    done += static_cast<std::size_t>(count);
  }
  if (counter_.empty()) return;
  char name[] = "/tmp/nnrun_counts_XXXXXX";
  const int made = mkstemp(name);
  if (made < 0) give_up("no temporary file for counts");
  close(made);
  counts_ = name;
}

WorkerGuest::~WorkerGuest() {
  stop();
  if (!counts_.empty()) unlink(counts_.c_str());
}

void WorkerGuest::start() {
  // A socket, because writing to one whose other end is gone can be told not to raise SIGPIPE.
  int in[2], out[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0) give_up("no pipe");
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) != 0) give_up("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Copies above what is replaced first: any of these may be 0 to 4 already.
  constexpr int above = 100;
  const int sources[] = {in[1], out[1], shared_, program_};
  const int targets[] = {0, 1, 3, 4};
  for (int i = 0; i < 4; ++i) posix_spawn_file_actions_adddup2(&actions, sources[i], above + i);
  for (int i = 0; i < 4; ++i) posix_spawn_file_actions_adddup2(&actions, above + i, targets[i]);
  for (int i = 0; i < 4; ++i) posix_spawn_file_actions_addclose(&actions, above + i);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  // A group of its own: an interrupt from the terminal is for the host alone, which ends the worker when it is done.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const std::string qemu = "qemu-riscv" + std::to_string(elf_.bits);
  std::vector<std::string> words;
  if (!launch_.directly) {
    words = {qemu, "-cpu", "rv" + std::to_string(elf_.bits) + ",v=true,vext_spec=v1.0,vlen=" + std::to_string(launch_.vector_bits)};
    if (!counter_.empty()) words.insert(words.end(), {"-plugin", counter_ + ",to=" + counts_});
  }
  words.emplace_back("/proc/self/fd/4");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int status = posix_spawnp(&worker_, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(in[1]);
  close(out[1]);
  to_ = in[0];
  from_ = out[0];
  if (status != 0) {
    worker_ = -1;
    stop();
    if (launch_.directly) throw nnrun::Error(std::string("this machine does not execute the RISC-V worker: ") + std::strerror(status));
    throw nnrun::Error("RISC-V kernels with vectors of " + std::to_string(launch_.vector_bits) + " bits need " + qemu +
                       " (Debian: qemu-user)" + (launch_.why_qemu.empty() ? "" : ", because " + launch_.why_qemu) + ": " +
                       std::strerror(status));
  }
}

void WorkerGuest::stop() {
  if (to_ >= 0) close(to_);
  if (from_ >= 0) close(from_);
  to_ = from_ = -1;
  if (worker_ > 0) {
    kill(worker_, SIGKILL);
    waitpid(worker_, nullptr, 0);
  }
  worker_ = -1;
}

std::vector<std::uint64_t> WorkerGuest::finish() {
  close(to_);  // the worker reads the end of its requests, and exits
  to_ = -1;
  waitpid(worker_, nullptr, 0);
  worker_ = -1;
  stop();
  std::ifstream file(counts_, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty()) throw nnrun::Error("qemu wrote no instruction counts: its plugin " + counter_ + " did not work");
  std::vector<std::uint64_t> counts(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(counts.data(), bytes.data(), counts.size() * sizeof counts[0]);
  return counts;
}

void WorkerGuest::fail(const std::string& function) {
  int status = 0;
  std::string how = "did not answer within a minute";
  // A closed pipe means that it has ended, or is about to.
  pollfd end{from_, POLLIN, 0};
  if (poll(&end, 1, 0) > 0 && waitpid(worker_, &status, 0) == worker_) {
    worker_ = -1;
    how = WIFSIGNALED(status) ? std::string("ended the worker: ") + strsignal(WTERMSIG(status))
                              : "ended the worker with exit code " + std::to_string(WEXITSTATUS(status));
  }
  stop();
  throw nnrun::Error("the RISC-V kernel " + function + " " + how);
}

void WorkerGuest::receive(const std::string& function, void* to, std::size_t bytes) {
  for (std::size_t got = 0; got < bytes;) {
    pollfd ready{from_, POLLIN, 0};
    const int polled = poll(&ready, 1, patience_ms);
    const ssize_t count = polled > 0 ? read(from_, static_cast<char*>(to) + got, bytes - got) : polled;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(function);
    got += static_cast<std::size_t>(count);
  }
}

std::uint64_t WorkerGuest::call(const std::string& name, std::span<const std::uint64_t> arguments, std::uint64_t) {
  const Function* function = find_function(elf_, name);
  if (function == nullptr) throw nnrun::Error("there is no RISC-V kernel " + name);
  if (worker_ < 0) start();
  std::uint64_t request[9] = {function->address};
  for (std::size_t i = 0; i < arguments.size(); ++i) request[i + 1] = arguments[i];
  if (send(to_, request, sizeof request, MSG_NOSIGNAL) != sizeof request) fail(name);
  std::uint64_t answer[2] = {};
  receive(name, answer, sizeof answer);
  if (answer[1] == fault) {
    std::uint64_t address = 0;
    std::array<std::uint64_t, 32> registers{};  // where x0 would be: the pc
    receive(name, &address, sizeof address);
    receive(name, registers.data(), sizeof registers);
    stop();
    throw nnrun::Error(fault_text(elf_, what_happened(static_cast<int>(answer[0]), address), "at pc ", registers[0], registers));
  }
  if (answer[1] == stack) throw nnrun::Error("the RISC-V kernel " + name + " wrote to its caller's stack");
  if (answer[1] != 0) {
    throw nnrun::Error("the RISC-V kernel " + name + " did not keep register x" + std::to_string(answer[1]) + ", which is its caller's");
  }
  memory_.check_strips("the RISC-V kernel " + name);
  return answer[0];
}

}  // namespace nnrun_riscv
