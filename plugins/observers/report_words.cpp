#include "report_words.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "../common/text.hpp"

namespace nnrun::observers {

double number(const Row& row, const std::string& key) {
  const auto found = row.is_object() ? row.find(key) : row.end();
  return row.is_object() && found != row.end() && found->is_number() ? found->get<double>() : std::nan("");
}

std::string text(const Row& row, const std::string& key) {
  return row.is_object() && row.contains(key) && row.at(key).is_string() ? row.at(key).get<std::string>() : "";
}

std::string whole(double value) { return std::isfinite(value) ? grouped(std::llround(value)) : ""; }

// Shares of samples are shown in per cent.
bool is_share(const std::string& key) {
  for (const char* word : {"accuracy", "precision", "recall", "f1"}) {
    if (key.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string figure(const std::string& key, double value) {
  if (!std::isfinite(value)) return "not finite";
  if (is_share(key)) return format("%.2f %%", 100 * value);
  const double size = std::abs(value);
  return format(size == 0 || (size >= 0.001 && size < 1000) ? "%.4f" : "%.3g", value);
}

// Reads back as the same number.
std::string exact(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string duration(double seconds) {
  if (!(seconds >= 0)) return "";
  if (seconds < 60) return format("%.1f s", seconds);
  const long long all = std::llround(seconds);
  return all < 3600 ? format("%lld:%02lld min", all / 60, all % 60) : format("%lld:%02lld:%02lld h", all / 3600, all / 60 % 60, all % 60);
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// The figures of a row whose names begin with `prefix`, without what is no figure of the net's.
std::vector<std::string> metrics_of(const Row& row, const std::string& prefix) {
  std::vector<std::string> keys;
  if (!row.is_object()) return keys;
  for (const auto& [key, value] : row.items()) {
    if (!key.starts_with(prefix) || !value.is_number()) continue;
    const std::string rest = key.substr(prefix.size());
    if (rest != "loss" && rest != "samples") keys.push_back(rest);
  }
  return keys;
}

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace nnrun::observers
