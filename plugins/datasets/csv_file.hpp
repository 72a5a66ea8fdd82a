// Tables as text: rows of fields between separators (RFC 4180), with every field's place for messages.
#pragma once

#include <string>
#include <vector>

#include "bytes_file.hpp"

namespace nnrun::datasets {

struct CsvField {
  std::string text;
  std::int64_t line = 0, column = 0;  // where it begins, from 1; the column counts bytes
  bool quoted = false;
};

// The rows of a file, plain or .gz. Empty lines are passed over; a field in double quotes may hold separators, line ends and, doubled,
// double quotes. Throws Error as FILE:LINE:COLUMN where quotes are amiss, or a row is longer or shorter than the first.
class CsvFile {
 public:
  CsvFile(const std::string& path, char separator) : path_(path), separator_(separator) {
    BytesFile file(path);
    constexpr std::size_t piece = std::size_t{1} << 20, greatest = std::size_t{4} << 30;
    std::vector<std::uint8_t> buffer(piece);
    for (std::size_t got = 0; (got = file.read(buffer)) > 0;) {
      text_.append(reinterpret_cast<const char*>(buffer.data()), got);
      if (text_.size() > greatest) throw Error(path + " is larger than 4 GiB, more than is read");
    }
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark
  }

  // Reads the next row into `fields`, whose memory is used again; false at the end.
  bool next(std::vector<CsvField>& fields) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) end_line();
    if (at_ >= text_.size()) return false;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
      if (count == fields.size()) fields.emplace_back();
      more = read_field(fields[count]);
    }
    if (columns_ == 0) columns_ = count;
    if (count != columns_) {
      fail(fields[0], "this row has " + std::to_string(count) + " fields, the first one has " + std::to_string(columns_));
    }
    fields.resize(count);
    return true;
  }

  [[noreturn]] void fail(const CsvField& field, const std::string& what) const {
    throw Error(path_ + ":" + std::to_string(field.line) + ":" + std::to_string(field.column) + ": " + what);
  }

 private:
  void end_line() {
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
    line_begin_ = at_;
  }

  // Whether another field follows in this row.
  bool read_field(CsvField& field) {
    field.text.clear();
    field.line = line_;
    field.column = static_cast<std::int64_t>(at_ - line_begin_) + 1;
    field.quoted = at_ < text_.size() && text_[at_] == '"';
    if (field.quoted) {
      for (++at_;; ++at_) {
        if (at_ >= text_.size()) fail(field, "these quotes are never closed");
        if (text_[at_] == '"') {
          if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
          ++at_;
        } else if (text_[at_] == '\n') {
          ++line_;
          line_begin_ = at_ + 1;
        }
        field.text += text_[at_];
      }
      ++at_;
      if (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r') {
        fail(field, "there is something behind the closing quotes; quotes inside of a field are doubled");
      }
    } else {
      while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n' && text_[at_] != '\r') field.text += text_[at_++];
    }
    if (at_ >= text_.size()) return false;
    if (text_[at_] == separator_) {
      ++at_;
      return true;
    }
    end_line();
    return false;
  }

  std::string path_;
  char separator_;
  std::string text_;
  std::size_t at_ = 0, line_begin_ = 0, columns_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace nnrun::datasets
