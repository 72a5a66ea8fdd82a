// A run's rows, from its metrics.jsonl, as a report wants them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace nnrun::observers {

using Row = nlohmann::ordered_json;

struct ReportRows {
  Row start, test, end;  // null where there is none yet; of several, the last
  std::vector<Row> epochs;
  std::vector<std::string> notes;  // each once
  // Of the batches: steps done and loss, of groups of neighbours where there are many.
  struct Group {
    double step = 0, mean = 0, least = 0, greatest = 0;
  };
  std::vector<Group> batches;

  void add(Row row);
};

// What cannot be read is left out: a report is no judge of files. `found`: is there such a file?
ReportRows read_report_rows(const std::string& file, bool& found);

}  // namespace nnrun::observers
