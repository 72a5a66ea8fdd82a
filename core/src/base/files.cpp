#include "base/files.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

namespace nnrun::core {

namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }
  int close() { return value_ >= 0 ? ::close(std::exchange(value_, -1)) : 0; }

 private:
  int value_;
};

void write_all(int descriptor, std::span<const std::byte> bytes, const fs::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("cannot write " + file.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void flush_folder(const fs::path& folder) {
  Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.value() < 0 || ::fsync(descriptor.value()) != 0) throw system_error("cannot flush the folder " + folder.string());
}

}  // namespace

void write_atomically(const fs::path& file, std::span<const std::span<const std::byte>> parts) {
  const fs::path temporary = file.string() + ".tmp";
  try {
    Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (descriptor.value() < 0) throw system_error("cannot write " + file.string());
    for (const auto& part : parts) write_all(descriptor.value(), part, file);
    if (::fsync(descriptor.value()) != 0 || descriptor.close() != 0) throw system_error("cannot write " + file.string());
    if (::rename(temporary.c_str(), file.c_str()) != 0) throw system_error("cannot replace " + file.string());
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  flush_folder(file.has_parent_path() ? file.parent_path() : ".");
}

void write_atomically(const fs::path& file, std::string_view text) {
  const std::span<const std::byte> part = std::as_bytes(std::span(text.data(), text.size()));
  write_atomically(file, std::span(&part, 1));
}

std::string read_file(const fs::path& file) {
  if (fs::is_directory(file)) throw RunError("cannot read " + file.string() + ": it is a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw system_error("cannot read " + file.string());
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) throw system_error("cannot read " + file.string());
  return std::move(text).str();
}

FileLock::FileLock(const fs::path& file, const std::string& busy_message)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw system_error("cannot write " + file.string());
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const bool busy = errno == EWOULDBLOCK;
    ::close(descriptor_);
    if (busy) throw RunError(busy_message);
    throw system_error("cannot lock " + file.string());
  }
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace nnrun::core
