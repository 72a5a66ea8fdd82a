// A file that is read at any place, by any thread.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <nnrun/plugin.hpp>
#include <span>
#include <string>

namespace nnrun::datasets {

// A regular file; errors name it. `flags`: O_NOFOLLOW refuses a link.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path, int flags = 0)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags)) {
    if (descriptor_ < 0) throw Error("cannot open " + path + ": " + std::strerror(errno));
    struct stat status {};
    const bool known = ::fstat(descriptor_, &status) == 0;
    if (!known || !S_ISREG(status.st_mode)) {
      const std::string reason = known ? "not a regular file" : std::strerror(errno);
      ::close(descriptor_);
      throw Error("cannot read " + path + ": " + reason);
    }
    size_ = status.st_size;
  }
  ~OpenFile() { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }

  // Up to to.size() bytes from `offset` on; fewer only at the file's end.
  std::size_t read_at(std::int64_t offset, std::span<std::uint8_t> to) const {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = ::pread(descriptor_, to.data() + done, std::min<std::size_t>(to.size() - done, 1u << 30),
                                  offset + static_cast<std::int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error("cannot read " + path_ + ": " + std::strerror(errno));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  std::string path_;
  int descriptor_;
  std::int64_t size_ = 0;
};

}  // namespace nnrun::datasets
