// Files read front to back, plain or gzip, with every byte accounted for.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "../common/text.hpp"
#include "file_bytes.hpp"

namespace nnrun::datasets {

// A regular file, front to back.
class File {
 public:
  explicit File(const std::string& path) : file_(path) {}
  const std::string& path() const { return file_.path(); }
  std::uint64_t size() const { return static_cast<std::uint64_t>(file_.size()); }

  // Up to to.size() bytes; fewer only at the file's end.
  std::size_t read(std::span<std::uint8_t> to) {
    const std::size_t got = file_.read_at(at_, to);
    at_ += static_cast<std::int64_t>(got);
    return got;
  }

 private:
  OpenFile file_;
  std::int64_t at_ = 0;
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
