// The page of a report, from the rows and details of a run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report_rows.hpp"

namespace nnrun::observers {

// A copy of the event `details`: see core's run_details.hpp for its fields.
struct ReportDetails {
  struct Table {
    std::vector<double> numbers;
    std::int64_t rows = 0, columns = 0;
  };
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, double> numbers;
  std::map<std::string, Table> tables;

  bool empty() const { return texts.empty(); }
  // Empty where there is none.
  const std::vector<std::string>& all(const std::string& name) const;
  const Table& table(const std::string& name) const;
};

// `folder`: shown as the title; `config`: the resolved YAML.
std::string report_page(const std::string& folder, const std::string& config, const ReportRows& rows, const ReportDetails& details,
                        bool has_metrics);

}  // namespace nnrun::observers
