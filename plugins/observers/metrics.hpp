#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

#include "fields.hpp"

namespace nnrun::observers {

// metrics.jsonl in the run's folder: one JSON object a line, {"event": name, ...fields}. Every event but `checkpoint`
// and `details`, which are no figures. Rows behind the checkpoint that is resumed are cut off.
class Metrics {
 public:
  static constexpr auto name = "metrics";
  static constexpr auto doc = "writes metrics.jsonl: one JSON object a line for each batch, epoch and test";

  Metrics() = default;
  ~Metrics() {
    if (file_ >= 0) ::close(file_);  // an event's rows are flushed at once, but for batches'
  }
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void open(const Host&, const std::string& folder, std::int64_t position) {
    close();
    path_ = folder + "/metrics.jsonl";
    // From the start the file is cut by O_TRUNC: a device or a pipe in its place cannot be cut otherwise.
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (position == 0 ? O_TRUNC : 0), 0644);
    if (file_ < 0) throw Error("cannot write " + path_ + ": " + std::strerror(errno));
    if (position > 0) {
      struct stat status {};
      if (::fstat(file_, &status) != 0) fail();
      if (status.st_size < position) {
        throw Error(path_ + " has " + std::to_string(status.st_size) + " bytes, but had " + std::to_string(position) +
                    " when the checkpoint was written: bring the file back, or start anew without --resume");
      }
      if (::ftruncate(file_, position) != 0 || ::lseek(file_, position, SEEK_SET) < 0) fail();
    }
    length_ = position;
    flushed_at_ = Clock::now();
  }

  void event(const nnrun_event& event) {
    const std::string_view kind = event.name;
    if (kind == "checkpoint" || kind == "details") return;
    buffer_ += "{\"event\":";
    append_text(kind);
    for (const nnrun_field& field : fields_of(event)) {
      buffer_ += ',';
      append_text(field.name);
      buffer_ += ':';
      if (field.text != nullptr) {
        append_text(field.text);
      } else if (field.numbers != nullptr) {
        append_table(field);
      } else {
        append_number(field.number);
      }
    }
    buffer_ += "}\n";
    // Who watches the file sees at least every second what happened; an epoch's end at once.
    if (kind != "batch" || buffer_.size() >= greatest_buffer || Clock::now() - flushed_at_ > std::chrono::seconds(1)) flush();
  }

  // All rows so far are on the disk then.
  std::int64_t position() {
    flush();
    ::fdatasync(file_);  // of a device there is nothing to sync: no error
    return length_;
  }

  void close() {
    if (file_ < 0) return;
    const int file = file_;
    try {
      flush();
    } catch (...) {
      file_ = -1;
      buffer_.clear();
      ::close(file);
      throw;
    }
    file_ = -1;
    ::close(file);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t greatest_buffer = 65536;

  [[noreturn]] void fail() const { throw Error("cannot write " + path_ + ": " + std::strerror(errno)); }

  void flush() {
    flushed_at_ = Clock::now();
    std::size_t done = 0;
    while (done < buffer_.size()) {
      const ssize_t wrote = ::write(file_, buffer_.data() + done, buffer_.size() - done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) {
        const int reason = errno;
        buffer_.erase(0, done);
        errno = reason;
        fail();
      }
      done += static_cast<std::size_t>(wrote);
      length_ += wrote;
    }
    buffer_.clear();
  }

  void append_text(std::string_view text) {
    buffer_ += '"';
    for (const char c : text) {
      switch (c) {
        case '"': buffer_ += "\\\""; break;
        case '\\': buffer_ += "\\\\"; break;
        case '\n': buffer_ += "\\n"; break;
        case '\r': buffer_ += "\\r"; break;
        case '\t': buffer_ += "\\t"; break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            buffer_ += format("\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
          } else {
            buffer_ += c;
          }
      }
    }
    buffer_ += '"';
  }

  // The shortest text that reads back as the same number; JSON has no NaN and no infinity.
  void append_number(double value) {
    if (!std::isfinite(value)) {
      buffer_ += "null";
      return;
    }
    char digits[32];
    const bool whole = std::abs(value) < 0x1p53 && value == std::trunc(value) && !(value == 0 && std::signbit(value));
    const auto [end, error] = whole ? std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value))
                                    : std::to_chars(digits, digits + sizeof digits, value);
    buffer_.append(digits, error == std::errc{} ? end : digits);
  }

  // A list of rows.
  void append_table(const nnrun_field& field) {
    buffer_ += '[';
    for (std::int64_t row = 0; row < field.rows; ++row) {
      buffer_ += row == 0 ? "[" : ",[";
      for (std::int64_t column = 0; column < field.columns; ++column) {
        if (column > 0) buffer_ += ',';
        append_number(field.numbers[row * field.columns + column]);
      }
      buffer_ += ']';
    }
    buffer_ += ']';
  }

  std::string path_, buffer_;
  int file_ = -1;
  std::int64_t length_ = 0;  // bytes in the file
  Clock::time_point flushed_at_{};
};

}  // namespace nnrun::observers
