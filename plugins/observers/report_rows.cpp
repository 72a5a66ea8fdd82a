#include "report_rows.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace nnrun::observers {

namespace {

constexpr std::size_t most_groups = 300;

// A number of a batch's row, without parsing all of it: there may be millions.
bool number_in(const std::string& line, const char* key, double& number) {
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return false;
  const char* begin = line.c_str() + at + std::strlen(key);
  char* end = nullptr;
  number = std::strtod(begin, &end);
  return end != begin;
}

}  // namespace

void ReportRows::add(Row row) {
  const std::string event = row.value("event", "");
  if (event == "start") {
    start = std::move(row);
    end = nullptr;
  } else if (event == "epoch") {
    epochs.push_back(std::move(row));
  } else if (event == "test") {
    test = std::move(row);
  } else if (event == "end") {
    end = std::move(row);
  } else if (event == "note") {
    const std::string text = row.value("text", "");
    if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
  }
}

ReportRows read_report_rows(const std::string& file, bool& found) {
  ReportRows rows;
  std::ifstream in(file);
  found = in.good();
  std::vector<std::pair<double, double>> batches;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("{\"event\":\"batch\"")) {
      double step = 0, loss = 0;
      if (number_in(line, "\"step\":", step) && number_in(line, "\"loss\":", loss)) batches.emplace_back(step, loss);
      continue;
    }
    Row row = Row::parse(line, nullptr, false);
    if (row.is_object()) rows.add(std::move(row));
  }
  const std::size_t size = (batches.size() + most_groups - 1) / most_groups;
  for (std::size_t begin = 0; begin < batches.size(); begin += size) {
    const std::size_t behind = std::min(begin + size, batches.size());
    ReportRows::Group group{0, 0, batches[begin].second, batches[begin].second};
    for (std::size_t i = begin; i < behind; ++i) {
      group.step += batches[i].first / static_cast<double>(behind - begin);
      group.mean += batches[i].second / static_cast<double>(behind - begin);
      group.least = std::min(group.least, batches[i].second);
      group.greatest = std::max(group.greatest, batches[i].second);
    }
    rows.batches.push_back(group);
  }
  return rows;
}

}  // namespace nnrun::observers
