#include "net/tensor_statistics.hpp"

#include <algorithm>
#include <cmath>

namespace nnrun::core {

TensorStatistics statistics_of(std::span<const float> numbers) {
  TensorStatistics s;
  s.count = numbers.size();
  double sum = 0;
  std::size_t finite = 0;
  for (const float number : numbers) {
    if (std::isnan(number)) ++s.nans;
    if (std::isinf(number)) ++s.infinities;
    if (!std::isfinite(number)) continue;
    const auto value = static_cast<double>(number);
    if (number == 0) ++s.zeros;
    s.min = finite == 0 ? value : std::min(s.min, value);
    s.max = finite == 0 ? value : std::max(s.max, value);
    sum += value;
    ++finite;
  }
  if (finite == 0) return s;
  s.mean = sum / static_cast<double>(finite);
  double squares = 0;
  for (const float number : numbers) {
    if (std::isfinite(number)) squares += (static_cast<double>(number) - s.mean) * (static_cast<double>(number) - s.mean);
  }
  s.standard_deviation = std::sqrt(squares / static_cast<double>(finite));
  return s;
}

std::vector<std::size_t> histogram_of(std::span<const float> numbers, std::size_t bins) {
  const TensorStatistics s = statistics_of(numbers);
  std::vector<std::size_t> counts(bins, 0);
  const double width = (s.max - s.min) / static_cast<double>(bins);
  for (const float number : numbers) {
    if (!std::isfinite(number)) continue;
    const double at = width > 0 ? (static_cast<double>(number) - s.min) / width : 0;
    ++counts[std::min(static_cast<std::size_t>(at), bins - 1)];
  }
  return counts;
}

}  // namespace nnrun::core
