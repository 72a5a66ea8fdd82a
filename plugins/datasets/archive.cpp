#include "archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <optional>

#include "file_bytes.hpp"

namespace nnrun::datasets {

namespace {

// Gives libarchive a file piece by piece, and knows where in the file a piece came from.
class Source {
 public:
  explicit Source(const std::string& path) : file_(path), buffer_(std::size_t{1} << 18) {}

  // The place in the file of bytes that libarchive handed out without unpacking them; empty for others.
  std::optional<std::int64_t> place_of(const void* bytes) const {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes);
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer_.data());
    if (address < begin || address >= begin + filled_) return std::nullopt;
    return begin_ + static_cast<std::int64_t>(address - begin);
  }
  std::int64_t size() const { return file_.size(); }

  static la_ssize_t read(archive* a, void* self, const void** bytes) {
    Source& source = *static_cast<Source*>(self);
    source.begin_ = source.at_;
    try {
      source.filled_ = source.file_.read_at(source.at_, source.buffer_);
    } catch (const Error& e) {
      archive_set_error(a, EIO, "%s", e.what());
      return -1;
    }
    source.at_ += static_cast<std::int64_t>(source.filled_);
    *bytes = source.buffer_.data();
    return static_cast<la_ssize_t>(source.filled_);
  }

  static la_int64_t skip(archive*, void* self, la_int64_t request) {
    Source& source = *static_cast<Source*>(self);
    const std::int64_t count = std::clamp<std::int64_t>(request, 0, source.size() - source.at_);
    source.at_ += count;
    return count;
  }

  static la_int64_t seek(archive*, void* self, la_int64_t offset, int from) {
    Source& source = *static_cast<Source*>(self);
    const std::int64_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? source.at_ : source.size();
    if (offset > source.size() || base + offset < 0 || base + offset > source.size()) return ARCHIVE_FATAL;
    return source.at_ = base + offset;
  }

 private:
  OpenFile file_;
  std::vector<std::uint8_t> buffer_;
  std::size_t filled_ = 0;
  std::int64_t begin_ = 0;  // of what is in the buffer, in the file
  std::int64_t at_ = 0;
};

struct Free {
  void operator()(archive* a) const { archive_read_free(a); }
};

bool leads_out(const std::string& path) {
  if (path.starts_with('/')) return true;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (path.compare(begin, end - begin, "..") == 0) return true;
    begin = end + 1;
  }
  return false;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), source_(path), archive_(archive_read_new()) {
    archive* a = archive_.get();
    if (a == nullptr) throw Error("cannot read " + path + ": out of memory");
    archive_read_support_filter_gzip(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    archive_read_set_seek_callback(a, &Source::seek);
    if (archive_read_open2(a, &source_, nullptr, &Source::read, &Source::skip, nullptr) != ARCHIVE_OK) {
      throw Error("cannot read " + path + " as a tar (plain or .gz) or zip archive: " + reason() + "; if it should be one, get it anew");
    }
  }

  // The next regular file with a usable path, its bytes not read yet.
  bool next() {
    for (;;) {
      const int status = archive_read_next_header(archive_.get(), &entry_);
      if (status == ARCHIVE_EOF) return false;
      if (status == ARCHIVE_RETRY) continue;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
        throw Error(path_ + " is damaged, or is no tar or zip archive" + behind() + ": " + reason() + "; get it anew");
      }
      const char* name = archive_entry_pathname(entry_);
      if (name == nullptr) name = archive_entry_pathname_utf8(entry_);
      const bool link = archive_entry_hardlink(entry_) != nullptr || archive_entry_symlink(entry_) != nullptr;
      if (name == nullptr || link || archive_entry_filetype(entry_) != AE_IFREG || leads_out(name)) continue;
      member_path_ = name;
      while (member_path_.starts_with("./")) member_path_.erase(0, 2);
      return true;
    }
  }

  const std::string& member_path() const { return member_path_; }

  // What is packed takes of `bytes_left`.
  ArchiveMember read(std::int64_t& bytes_left) {
    ArchiveMember member;
    member.path = member_path_;
    archive* a = archive_.get();
    const bool plain = archive_entry_size_is_set(entry_) != 0 && archive_entry_sparse_count(entry_) == 0;
    for (bool first = true;; first = false) {
      const void* bytes = nullptr;
      std::size_t count = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(a, &bytes, &count, &offset);
      if (status == ARCHIVE_RETRY) continue;
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
        throw Error(path_ + " is damaged or cut off at " + member.path + ": " + reason() + "; get it anew");
      }
      const auto place = source_.place_of(bytes);
      if (first && plain && offset == 0 && place) {
        member.offset = *place;
        member.size = archive_entry_size(entry_);
        if (member.size > source_.size() - member.offset) {
          throw Error(path_ + " is cut off at " + member.path + ": get it anew");
        }
        archive_read_data_skip(a);
        break;
      }
      // A gap in a sparse file would be zeros, which no picture has reason to hold.
      if (offset != static_cast<la_int64_t>(member.bytes.size()))
        throw Error(path_ + " holds " + member.path + " with gaps, which are not read");
      bytes_left -= static_cast<std::int64_t>(count);
      if (bytes_left < 0) {
        throw Error(path_ + " is packed, and its pictures do not fit into memory: unpack it, or make it a plain .tar");
      }
      const auto* begin = static_cast<const std::uint8_t*>(bytes);
      member.bytes.insert(member.bytes.end(), begin, begin + count);
    }
    if (member.offset < 0) member.size = static_cast<std::int64_t>(member.bytes.size());
    last_ = member.path;
    return member;
  }

 private:
  std::string reason() const {
    const char* text = archive_error_string(archive_.get());
    return text != nullptr ? text : "unknown format";
  }
  std::string behind() const { return last_.empty() ? "" : ", behind " + last_; }

  std::string path_;
  Source source_;
  std::unique_ptr<archive, Free> archive_;
  archive_entry* entry_ = nullptr;
  std::string member_path_, last_;
};

}  // namespace

std::vector<ArchiveMember> list_archive(const std::string& path, std::int64_t greatest_bytes,
                                        const std::function<bool(const std::string&)>& wanted) {
  std::vector<ArchiveMember> members;
  Reader reader(path);
  while (reader.next()) {
    if (wanted(reader.member_path())) members.push_back(reader.read(greatest_bytes));
  }
  return members;
}

void read_archive(const std::string& path, std::int64_t greatest_bytes, const std::function<bool(const std::string&)>& wanted,
                  const std::function<void(ArchiveMember)>& take) {
  Reader reader(path);
  while (reader.next()) {
    if (!wanted(reader.member_path())) continue;
    std::int64_t bytes_left = greatest_bytes;
    take(reader.read(bytes_left));
  }
}

}  // namespace nnrun::datasets
