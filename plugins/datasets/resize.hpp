// Changes the size of a picture, with antialiasing, to the same bits everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "pixels.hpp"

namespace nnrun::datasets {

class Resizer {
 public:
  // Writes (height, width, from.channels) bytes. Each new pixel is the mean of the old ones around its place, weighted by a
  // triangle as wide as two pixels of the coarser grid: bilinear upwards, antialiased downwards. In integers throughout.
  void resize(const Pixels& from, std::int64_t height, std::int64_t width, std::uint8_t* to);

 private:
  // The old pixels that make a new one, along one axis.
  struct Window {
    std::int64_t first = 0, count = 0;
    std::size_t weights = 0;  // where they begin in weights_
  };
  void make_windows(std::int64_t from, std::int64_t from_eighths, std::int64_t to, std::vector<Window>& windows,
                    std::vector<std::int32_t>& weights);

  std::vector<Window> rows_, columns_;
  std::vector<std::int32_t> row_weights_, column_weights_, sums_;
  std::vector<std::uint16_t> narrowed_;  // (from.height, width, channels)
};

}  // namespace nnrun::datasets
