// What a report draws of a run: loss, validation, learning rate.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report_chart.hpp"
#include "report_rows.hpp"

namespace nnrun::observers {

struct Curve {
  using Key = std::pair<std::string, std::string>;  // a style, and what it stands for
  std::string name;
  Chart chart;
  std::vector<Key> keys;
};

std::vector<Curve> curves_of(const ReportRows& rows);

}  // namespace nnrun::observers
