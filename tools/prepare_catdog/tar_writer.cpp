#include "tar_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nnrun/plugin.hpp>

namespace nnrun::catdog {

struct TarWriter::Archive {
  archive* writer = archive_write_new();
  archive_entry* entry = archive_entry_new();
  int file = -1;
  ~Archive() {
    archive_entry_free(entry);
    archive_write_free(writer);
    if (file >= 0) ::close(file);
  }
};

TarWriter::TarWriter(const std::string& path) : path_(path), part_(path + ".part"), archive_(std::make_unique<Archive>()) {
  archive_->file = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (archive_->file < 0) throw Error("cannot write " + part_ + ": " + std::strerror(errno));
  archive_write_set_format_ustar(archive_->writer);
  if (archive_write_open_fd(archive_->writer, archive_->file) != ARCHIVE_OK) fail();
}

TarWriter::~TarWriter() {
  if (!archive_) return;
  // What is still in its buffers is not wanted.
  archive_write_fail(archive_->writer);
  ::unlink(part_.c_str());
}

void TarWriter::fail() const {
  // Its own texts say less than the system's.
  const int number = archive_errno(archive_->writer);
  const char* text = archive_error_string(archive_->writer);
  throw Error("cannot write " + part_ + ": " + (number > 0 || text == nullptr ? std::strerror(number) : text));
}

void TarWriter::add(const std::string& member, std::span<const std::uint8_t> bytes) {
  archive_entry* entry = archive_entry_clear(archive_->entry);
  archive_entry_set_pathname(entry, member.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
  if (archive_write_header(archive_->writer, entry) != ARCHIVE_OK) fail();
  if (archive_write_data(archive_->writer, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size())) fail();
}

void TarWriter::finish() {
  if (archive_write_close(archive_->writer) != ARCHIVE_OK) fail();
  if (::fsync(archive_->file) != 0) throw Error("cannot write " + part_ + ": " + std::strerror(errno));
  if (std::rename(part_.c_str(), path_.c_str()) != 0) {
    throw Error("cannot rename " + part_ + " to " + path_ + ": " + std::strerror(errno));
  }
  archive_.reset();
}

}  // namespace nnrun::catdog
