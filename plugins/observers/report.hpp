#pragma once

#include <chrono>

#include "fields.hpp"
#include "report_page.hpp"

namespace nnrun::observers {

// report.html in the run's folder: one file that needs nothing else, written at the end, and now and then before. The curves come from
// the rows of metrics.jsonl, so they are whole after a resume; without that observer there are its own rows, since the start. A report
// that cannot be written is a warning, not the end of a training.
class Report {
 public:
  static constexpr auto name = "report";
  static constexpr auto doc = "writes report.html: curves, confusion matrix, mistakes, filters, times, in one file";

  void open(const Host& host, const std::string& folder, std::int64_t);
  void event(const nnrun_event& event);
  std::int64_t position() const { return 0; }
  void close();

 private:
  using Clock = std::chrono::steady_clock;

  void write();

  Host host_;
  std::string folder_;
  ReportRows own_;
  ReportDetails details_;
  bool unwritten_ = false;
  Clock::time_point written_at_{};
};

}  // namespace nnrun::observers
