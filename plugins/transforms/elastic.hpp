#pragma once

#include <array>

#include "picture.hpp"

namespace nnrun::transforms {

// Simard, Steinkraus and Platt 2003: every pixel moves by a smooth random displacement. Here the displacement is a cubic
// B-spline over a coarse grid of control points, which is as smooth as their blurred noise and much cheaper.
struct Elastic {
  static constexpr auto name = "elastic";
  static constexpr auto doc = "in training, bends each picture by a smooth random displacement";
  static constexpr bool augments = true;

  double strength = 4;
  double smoothness = 7;
  std::string border = "black";

  static constexpr auto params() {
    return schema(param<&Elastic::strength>("strength", "how far a control point moves at most along each axis, in pixels").range(0, 65536),
                  param<&Elastic::smoothness>("smoothness", "distance between control points, in pixels").range(1, 65536),
                  param<&Elastic::border>("border", border_doc).choices(border_names));
  }

  nnrun_tensor plan(const Host&, const Tensor& input) {
    const PictureSize size = picture_size(input);
    rows_ = knots(size.height);
    columns_ = knots(size.width);
    return make_tensor(input.dtype(), input.shape());
  }

  void apply(const Tensor& x, const Tensor& y, const nnrun_random_key& key, bool training) const {
    if (!training) {
      copy_sample(x, y);
      return;
    }
    const std::size_t grid_rows = rows_.back().first + 4;
    const std::size_t grid_columns = columns_.back().first + 4;
    std::vector<Move> grid(grid_rows * grid_columns);
    Random random(key);
    const auto most = static_cast<float>(strength);
    for (Move& point : grid) {
      point.row = random.next_uniform(-most, most);
      point.column = random.next_uniform(-most, most);
    }
    // Rows of control points are joined once for each row of pixels.
    std::vector<Move> joined(grid_columns);
    std::int64_t joined_row = -1;
    resample(x, y, border_of(border), [&](std::int64_t r, std::int64_t c) {
      if (r != joined_row) {
        join(grid, rows_[static_cast<std::size_t>(r)], joined);
        joined_row = r;
      }
      const Knot& knot = columns_[static_cast<std::size_t>(c)];
      Move move{};
      for (std::size_t i = 0; i < 4; ++i) {
        move.row += knot.weight[i] * joined[knot.first + i].row;
        move.column += knot.weight[i] * joined[knot.first + i].column;
      }
      return std::pair(static_cast<float>(r) + move.row, static_cast<float>(c) + move.column);
    });
  }

 private:
  struct Move {
    float row, column;
  };
  // The four control points that move a pixel, along one axis.
  struct Knot {
    std::size_t first;
    std::array<float, 4> weight;
  };

  std::vector<Knot> knots(std::int64_t pixels) const {
    std::vector<Knot> list;
    for (std::int64_t i = 0; i < pixels; ++i) {
      const double at = static_cast<double>(i) / smoothness;
      const double cell = std::floor(at);
      const double t = at - cell;
      const double s = 1 - t;
      // The uniform cubic B-spline's weights; their sum is 1.
      list.push_back({static_cast<std::size_t>(cell),
                      {static_cast<float>(s * s * s / 6), static_cast<float>((3 * t * t * t - 6 * t * t + 4) / 6),
                       static_cast<float>((3 * s * s * s - 6 * s * s + 4) / 6), static_cast<float>(t * t * t / 6)}});
    }
    return list;
  }

  static void join(const std::vector<Move>& grid, const Knot& knot, std::vector<Move>& joined) {
    for (std::size_t j = 0; j < joined.size(); ++j) {
      joined[j] = {};
      for (std::size_t i = 0; i < 4; ++i) {
        const Move& point = grid[(knot.first + i) * joined.size() + j];
        joined[j].row += knot.weight[i] * point.row;
        joined[j].column += knot.weight[i] * point.column;
      }
    }
  }

  std::vector<Knot> rows_, columns_;  // of each pixel row and column
};

}  // namespace nnrun::transforms
