#include "report.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace nnrun::observers {

namespace {

Row row_of(const nnrun_event& event) {
  Row row{{"event", event.name}};
  for (const nnrun_field& field : fields_of(event)) {
    if (field.text != nullptr) {
      row[field.name] = field.text;
    } else if (field.numbers == nullptr) {
      row[field.name] = field.number;
    }
  }
  return row;
}

ReportDetails details_of(const nnrun_event& event) {
  ReportDetails details;
  for (const nnrun_field& field : fields_of(event)) {
    if (field.text != nullptr) {
      details.texts[field.name].emplace_back(field.text);
    } else if (field.numbers != nullptr) {
      details.tables[field.name] = {{field.numbers, field.numbers + field.rows * field.columns}, field.rows, field.columns};
    } else {
      details.numbers[field.name] = field.number;
    }
  }
  return details;
}

std::string content(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(text).str();
}

}  // namespace

void Report::open(const Host& host, const std::string& folder, std::int64_t) {
  host_ = host;
  folder_ = folder;
  own_ = {};
  details_ = {};
  unwritten_ = false;
  written_at_ = {};
}

void Report::event(const nnrun_event& event) {
  const std::string_view kind = event.name;
  if (kind == "batch" || kind == "checkpoint") return;
  unwritten_ = true;
  if (kind == "details") {
    details_ = details_of(event);
    return;
  }
  own_.add(row_of(event));
  // A page takes some milliseconds.
  if (kind == "end" || (kind == "epoch" && Clock::now() - written_at_ > std::chrono::seconds(20))) write();
}

void Report::close() {
  if (unwritten_) write();
  unwritten_ = false;
}

void Report::write() {
  namespace fs = std::filesystem;
  const fs::path file = fs::path(folder_) / "report.html", temporary = fs::path(folder_) / "report.html.tmp";
  bool found = false;
  ReportRows rows = read_report_rows(folder_ + "/metrics.jsonl", found);
  if (!found) rows = own_;
  // This observer may come before the one that writes the rows.
  if (rows.test.is_null()) rows.test = own_.test;
  rows.end = own_.end;
  std::error_code failure;
  std::string reason;
  {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << report_page(folder_, content(folder_ + "/config.yaml"), rows, details_, found);
    out.close();
    if (!out) reason = errno != 0 ? std::strerror(errno) : "unknown error";
  }
  if (reason.empty()) fs::rename(temporary, file, failure);
  if (failure) reason = failure.message();
  if (!reason.empty()) {
    fs::remove(temporary, failure);
    host_.log(NNRUN_LOG_WARNING, "cannot write " + file.string() + ": " + reason + "; the run goes on without its report");
  }
  unwritten_ = false;
  written_at_ = Clock::now();
}

}  // namespace nnrun::observers
