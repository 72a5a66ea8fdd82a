// Shapes of convolutions, and what they are made of, for the tests of their kernels.
#pragma once

#include <array>
#include <cmath>

#include "harness.hpp"
#include "windows.hpp"

struct Shape {
  WindowShape windows;
  int64_t channels, filters, groups;
};

// Every size that a tile, a panel, a block or a border could treat in its own way.
inline std::vector<Shape> shapes() {
  std::vector<Shape> all;
  // Channels and filters, ordinary 3x3 windows on an odd picture.
  for (int64_t channels : {1, 3, 7, 13, 33}) {
    for (int64_t filters : {1, 3, 7, 13, 33}) {
      all.push_back({{2, {5, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, channels, filters, 1});
      all.push_back({{1, {9, 6}, {3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}}, channels, filters, 1});
    }
  }
  // Kernels, strides, dilations, paddings.
  for (int64_t kernel : {1, 3, 5, 7}) {
    for (int64_t stride : {1, 2, 3}) {
      for (int64_t dilation : {1, 2, 3}) {
        const int64_t half = (kernel - 1) * dilation / 2;
        all.push_back({{2, {11, 19}, {kernel, kernel}, {stride, stride}, {dilation, dilation}, {half, half}, {half, half}}, 3, 18, 1});
        all.push_back({{1, {20, 21}, {kernel, kernel}, {stride, stride}, {dilation, dilation}, {0, 1}, {2, 0}}, 17, 5, 1});
      }
    }
  }
  const WindowShape odd[] = {
      {3, {8, 9}, {1, 3}, {1, 2}, {1, 1}, {0, 1}, {0, 1}},   {2, {9, 10}, {5, 2}, {3, 1}, {1, 2}, {2, 0}, {1, 2}},
      {2, {6, 4}, {2, 2}, {1, 1}, {2, 3}, {3, 4}, {4, 3}},   {5, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
      {4, {1, 1}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},   {1, {2, 3}, {2, 3}, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
      {2, {1, 17}, {1, 5}, {1, 4}, {1, 1}, {0, 4}, {0, 4}},  {2, {7, 5}, {1, 1}, {3, 2}, {1, 1}, {0, 0}, {0, 0}},
      {1, {4, 4}, {3, 3}, {6, 4}, {1, 1}, {5, 5}, {5, 5}},   {3, {12, 8}, {4, 4}, {2, 2}, {2, 4}, {3, 6}, {3, 6}},
      {2, {3, 130}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
  };
  for (const WindowShape& windows : odd) {
    for (const auto& [channels, filters, groups] : {std::array<int64_t, 3>{4, 6, 1}, {4, 6, 2}, {33, 33, 33}, {6, 18, 6}, {34, 4, 2}})
      all.push_back({windows, channels, filters, groups});
  }
  // Groups: some, depthwise narrow and wide, with several filters a channel.
  for (const auto& [channels, filters, groups] :
       {std::array<int64_t, 3>{8, 12, 4}, {66, 34, 2}, {13, 13, 13}, {150, 150, 150}, {7, 21, 7}, {1, 5, 1}}) {
    all.push_back({{2, {7, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, channels, filters, groups});
    all.push_back({{3, {8, 7}, {3, 5}, {2, 2}, {1, 1}, {1, 2}, {0, 2}}, channels, filters, groups});
  }
  // Several panels, the last of them narrower; several blocks and slices.
  for (int64_t filters : {64, 80, 100, 129}) all.push_back({{2, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 19, filters, 1});
  all.push_back({{9, {13, 13}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 32, 32, 1});
  // Depthwise: rows of several tiles, and every width of a window that has one of its own.
  for (int64_t kernel : {1, 2, 3, 4, 5, 6}) {
    for (int64_t stride : {1, 2, 3}) {
      const int64_t before = kernel / 2, behind = (kernel - 1) / 2;
      all.push_back({{2, {6, 21}, {kernel, kernel}, {stride, stride}, {1, 1}, {before, before}, {behind, behind}}, 21, 21, 21});
    }
  }
  // Products of matrices: windows of one pixel, few and many pixels, of few and many channels.
  for (const auto& [channels, filters] :
       {std::array<int64_t, 2>{1, 20}, {17, 5}, {12, 50}, {24, 75}, {33, 40}, {16, 96}, {70, 130}, {129, 31}}) {
    all.push_back({{3, {5, 7}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, channels, filters, 1});
    all.push_back({{6, {11, 9}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, channels, filters, 1});
  }
  all.push_back({{20, {13, 13}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 19, 18, 1});
  // What Winograd's tiles could treat in their own way: borders, paddings, tiles that are cut off, blocks of them.
  for (const auto& [channels, filters] : {std::array<int64_t, 2>{16, 16}, {17, 31}, {48, 70}, {130, 20}}) {
    for (int64_t before : {0, 1, 2}) {
      for (int64_t behind : {0, 1, 2})
        all.push_back({{2, {6 + before, 9 - behind}, {3, 3}, {1, 1}, {1, 1}, {before, behind}, {behind, before}}, channels, filters, 1});
    }
    all.push_back({{3, {22, 17}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, channels, filters, 1});
  }
  return all;
}

inline std::string describe(const Shape& s) {
  return describe(s.windows) + ", " + std::to_string(s.channels) + " channels, " + std::to_string(s.filters) + " filters, " +
         std::to_string(s.groups) + " groups";
}

template <class Arguments>
Arguments arguments_of(const Shape& s) {
  Arguments a = {};
  a.windows = windows_of(s.windows);
  a.channels = s.channels;
  a.filters = s.filters;
  a.groups = s.groups;
  return a;
}

inline int64_t weights_of(const Shape& s) { return s.filters * s.windows.kernel[0] * s.windows.kernel[1] * (s.channels / s.groups); }

// body(index in x, index in weights, index in y) for all products.
template <class Body>
void for_each_product(const Shape& s, Body body) {
  const nnrun_windows w = windows_of(s.windows);
  const int64_t depth = s.channels / s.groups, width = s.filters / s.groups, taps = w.kernel[0] * w.kernel[1];
  for_each_tap(w, [&](int64_t x, int64_t y, int64_t tap) {
    for (int64_t f = 0; f < s.filters; ++f) {
      for (int64_t c = 0; c < depth; ++c) body(x * s.channels + f / width * depth + c, (f * taps + tap) * depth + c, y * s.filters + f);
    }
  });
}

// Sums of products and of their magnitudes.
struct Sums {
  explicit Sums(int64_t count) : value(static_cast<size_t>(count)), magnitude(static_cast<size_t>(count)) {}
  void add(int64_t index, float a, float b) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    value[static_cast<size_t>(index)] += product;
    magnitude[static_cast<size_t>(index)] += std::fabs(product);
  }
  void expect(Problem& problem, const float* output) const {
    for (size_t i = 0; i < value.size(); ++i) problem.expect(output, static_cast<int64_t>(i), value[i], magnitude[i]);
  }
  std::vector<double> value, magnitude;
};
