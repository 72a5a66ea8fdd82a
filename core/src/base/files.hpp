// Files that must never be half-written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace nnrun::core {

// Writes the parts one after the other to a temporary file beside `file`, flushes it to the disk, and renames it over `file`. Throws
// RunError (disk full, not writable, ...); the old file is then untouched.
void write_atomically(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts);
void write_atomically(const std::filesystem::path& file, std::string_view text);

// The whole file. Throws RunError.
std::string read_file(const std::filesystem::path& file);

// Held as long as the object lives; one process at a time. Taken by the kernel when a process dies.
class FileLock {
 public:
  // Throws RunError with `busy_message` where another process has it.
  FileLock(const std::filesystem::path& file, const std::string& busy_message);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace nnrun::core
