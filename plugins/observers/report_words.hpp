// A run's figures in words.
#pragma once

#include <string>
#include <vector>

#include "report_rows.hpp"

namespace nnrun::observers {

// A member of a row; NaN and "" where there is none.
double number(const Row& row, const std::string& key);
std::string text(const Row& row, const std::string& key);

std::string whole(double value);  // 12,345
bool is_share(const std::string& key);
std::string figure(const std::string& key, double value);
std::string exact(double value);
std::string duration(double seconds);
std::string spaced(std::string name);

// The figures of a row whose names begin with `prefix`, without what is no figure of the net's.
std::vector<std::string> metrics_of(const Row& row, const std::string& prefix);

std::string cpu_name();

}  // namespace nnrun::observers
