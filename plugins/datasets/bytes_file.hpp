// Files read front to back, plain or gzip, with every byte accounted for.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "../common/text.hpp"

namespace nnrun::datasets {

// A regular file. Errors name it.
class File {
 public:
  explicit File(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw Error("cannot open " + path + ": " + std::strerror(errno));
    struct stat status {};
    const bool known = ::fstat(descriptor_, &status) == 0;
    if (!known || !S_ISREG(status.st_mode)) {
      const std::string reason = known ? "not a regular file" : std::strerror(errno);
      ::close(descriptor_);
      throw Error("cannot read " + path + ": " + reason);
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  // Up to to.size() bytes; fewer only at the file's end.
  std::size_t read(std::span<std::uint8_t> to) {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t got = ::read(descriptor_, to.data() + done, std::min<std::size_t>(to.size() - done, 1u << 30));
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
  std::uint64_t size_ = 0;
};

// The bytes of a file, unpacked where it is gzip (RFC 1952: one member, checked by its CRC, and nothing after it).
class BytesFile {
 public:
  explicit BytesFile(const std::string& path) : file_(path) {
    gzip_ = path.ends_with(".gz");
    if (!gzip_) return;
    packed_.resize(packed_capacity);
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error("cannot unpack " + path + ": out of memory");
    fill();
    if (stream_.avail_in < 2 || packed_[0] != 0x1f || packed_[1] != 0x8b) {
      inflateEnd(&stream_);
      throw Error(path + " is not a gzip file, which its name says: get it anew, or drop the .gz from its name if it is not packed");
    }
  }
  ~BytesFile() {
    if (gzip_) inflateEnd(&stream_);
  }
  BytesFile(const BytesFile&) = delete;
  BytesFile& operator=(const BytesFile&) = delete;

  const std::string& path() const { return file_.path(); }

  // No file of this size can hold more: deflate packs at most 1032 to 1.
  std::uint64_t greatest_size() const { return gzip_ ? file_.size() * 1032 : file_.size(); }

  // Up to to.size() bytes, straight to where they belong; fewer only at the end.
  std::size_t read(std::span<std::uint8_t> to) {
    if (!gzip_) return file_.read(to);
    std::size_t done = 0;
    while (done < to.size() && !ended_) {
      const auto room = static_cast<uInt>(std::min<std::size_t>(to.size() - done, 1u << 30));
      stream_.next_out = to.data() + done;
      stream_.avail_out = room;
      unpack();
      done += room - stream_.avail_out;
    }
    return done;
  }

  // To be called when everything expected has been read.
  void require_end() {
    std::uint8_t extra = 0;
    if (read({&extra, 1}) != 0) throw Error(path() + " goes on behind the data that its header announces: it is damaged, get it anew");
    if (!gzip_) return;
    if (stream_.avail_in == 0) fill();
    if (stream_.avail_in != 0) throw Error(path() + " goes on behind the end of its gzip data: it is damaged, get it anew");
  }

 private:
  static constexpr std::size_t packed_capacity = std::size_t{1} << 18;

  void fill() {
    stream_.avail_in = static_cast<uInt>(file_.read(packed_));
    stream_.next_in = packed_.data();
  }

  void unpack() {
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0) fill();
      if (stream_.avail_in == 0) throw Error(path() + " ends in the middle of its gzip data: it is cut off, get it anew");
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        ended_ = true;
      } else if (status != Z_OK) {
        throw Error("cannot unpack " + path() + ": " + (stream_.msg != nullptr ? stream_.msg : "damaged gzip data") + ": get it anew");
      }
    }
  }

  File file_;
  bool gzip_ = false;
  bool ended_ = false;
  z_stream stream_{};
  std::vector<std::uint8_t> packed_;
};

}  // namespace nnrun::datasets
