// What a look at a tensor tells: its range, its middle, and what is odd about it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nnrun::core {

struct TensorStatistics {
  std::size_t count = 0;
  std::size_t zeros = 0, nans = 0, infinities = 0;
  // Of the finite numbers; 0 where there are none.
  double min = 0, max = 0, mean = 0, standard_deviation = 0;
};

TensorStatistics statistics_of(std::span<const float> numbers);

// How many finite numbers lie in each of `bins` equal parts of [min, max].
std::vector<std::size_t> histogram_of(std::span<const float> numbers, std::size_t bins);

}  // namespace nnrun::core
