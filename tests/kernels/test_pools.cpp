#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "harness.hpp"
#include "windows.hpp"

namespace {

const WindowShape window_shapes[] = {
    {2, {8, 6}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},     {1, {7, 9}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
    {2, {7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},     {3, {5, 5}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    {2, {9, 4}, {3, 2}, {1, 3}, {1, 1}, {0, 1}, {2, 1}},     {1, {10, 11}, {2, 3}, {3, 1}, {2, 2}, {1, 2}, {1, 2}},
    {1, {6, 7}, {2, 2}, {4, 3}, {1, 1}, {0, 0}, {0, 0}},     {4, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
    {2, {16, 16}, {16, 16}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, {3, {5, 7}, {5, 7}, {5, 7}, {1, 1}, {0, 0}, {0, 0}},
    {2, {20, 33}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
};
constexpr int64_t channel_counts[] = {1, 3, 7, 13, 16, 33, 64, 70};

template <class Arguments>
Arguments arguments_of(const WindowShape& s, int64_t channels) {
  Arguments a = {};
  a.windows = windows_of(s);
  a.channels = channels;
  return a;
}

// body(shape, channels, whether the guard page is behind).
template <class Body>
void for_each_shape(Body body) {
  for (const WindowShape& s : window_shapes) {
    for (int64_t channels : channel_counts) {
      for (bool at_end : {false, true}) body(s, channels, at_end);
    }
  }
}

std::string describe(const WindowShape& s, int64_t channels) { return describe(s) + ", " + std::to_string(channels) + " channels"; }

// Numbers with many ties, and a few that are not finite.
std::vector<float> ties(Random& random, int64_t count) {
  std::vector<float> x = random.floats(count);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = std::round(x[i] * 2) / 2;
    if (i % 97 == 13) x[i] = std::numeric_limits<float>::quiet_NaN();
    if (i % 101 == 17) x[i] = -std::numeric_limits<float>::infinity();
  }
  return x;
}

void maxpool_problems(const Use& use) {
  for_each_shape([&](const WindowShape& s, int64_t channels, bool at_end) {
    Problem problem(describe(s, channels), at_end);
    auto a = arguments_of<nnrun_maxpool2d_forward_f32>(s, channels);
    problem.shape(a);
    Random random(3);
    const int64_t outputs = pixels(s.batch, a.windows.output) * channels;
    a.x = problem.input(ties(random, pixels(s.batch, a.windows.input) * channels));
    a.y = problem.output(random.floats(outputs));
    const bool wants_argmax = channels != 13;
    a.argmax = wants_argmax ? problem.output(std::vector<uint8_t>(static_cast<size_t>(outputs), 250)) : nullptr;
    problem.arguments(a);
    std::vector<int64_t> argmax(static_cast<size_t>(outputs), -1);
    std::vector<float> best(static_cast<size_t>(outputs));
    for_each_tap(a.windows, [&](int64_t x, int64_t y, int64_t tap) {
      for (int64_t c = 0; c < channels; ++c) {
        const auto to = static_cast<size_t>(y * channels + c);
        const float value = a.x[x * channels + c];
        if (argmax[to] >= 0 && !std::isnan(value) && !(value > best[to])) continue;
        best[to] = value;
        argmax[to] = tap;
      }
    });
    for (int64_t i = 0; i < outputs; ++i) {
      problem.expect(a.y, i, static_cast<double>(best[static_cast<size_t>(i)]), 1);
      if (wants_argmax) problem.expect(a.argmax, i, static_cast<double>(argmax[static_cast<size_t>(i)]), 1);
    }
    use(problem);
  });
}

void maxpool_backward_problems(const Use& use) {
  for_each_shape([&](const WindowShape& s, int64_t channels, bool at_end) {
    Problem problem(describe(s, channels), at_end);
    auto a = arguments_of<nnrun_maxpool2d_backward_f32>(s, channels);
    problem.shape(a);
    Random random(4);
    const int64_t inputs = pixels(s.batch, a.windows.input) * channels, outputs = pixels(s.batch, a.windows.output) * channels;
    // Any tap that lies in the picture may be the largest: the first, the last, one between.
    std::vector<uint8_t> argmax(static_cast<size_t>(outputs), 0);
    std::vector<int64_t> seen(static_cast<size_t>(outputs), 0);
    for_each_tap(a.windows, [&](int64_t, int64_t y, int64_t tap) {
      for (int64_t c = 0; c < channels; ++c) {
        const auto to = static_cast<size_t>(y * channels + c);
        if (seen[to]++ == 0 || (to * 7 + static_cast<size_t>(tap) * 5) % 3 == 0) argmax[to] = static_cast<uint8_t>(tap);
      }
    });
    a.dy = problem.input(random.floats(outputs));
    a.argmax = problem.input(argmax);
    a.dx = problem.output(random.floats(inputs));
    problem.arguments(a);
    std::vector<double> value(static_cast<size_t>(inputs)), magnitude(static_cast<size_t>(inputs));
    for_each_tap(a.windows, [&](int64_t x, int64_t y, int64_t tap) {
      for (int64_t c = 0; c < channels; ++c) {
        if (a.argmax[y * channels + c] != tap) continue;
        value[static_cast<size_t>(x * channels + c)] += static_cast<double>(a.dy[y * channels + c]);
        magnitude[static_cast<size_t>(x * channels + c)] += std::fabs(static_cast<double>(a.dy[y * channels + c]));
      }
    });
    for (int64_t i = 0; i < inputs; ++i) problem.expect(a.dx, i, value[static_cast<size_t>(i)], magnitude[static_cast<size_t>(i)]);
    use(problem);
  });
}

// How many places of each window lie in the picture.
std::vector<double> places(const nnrun_windows& w) {
  std::vector<double> count(static_cast<size_t>(pixels(w.batch, w.output)));
  for_each_tap(w, [&](int64_t, int64_t y, int64_t) { ++count[static_cast<size_t>(y)]; });
  return count;
}

void avgpool_problems(const Use& use) {
  for_each_shape([&](const WindowShape& s, int64_t channels, bool at_end) {
    Problem problem(describe(s, channels), at_end);
    auto a = arguments_of<nnrun_avgpool2d_forward_f32>(s, channels);
    problem.shape(a);
    Random random(5);
    const int64_t outputs = pixels(s.batch, a.windows.output) * channels;
    a.x = problem.input(random.floats(pixels(s.batch, a.windows.input) * channels));
    a.y = problem.output(random.floats(outputs));
    problem.arguments(a);
    const std::vector<double> count = places(a.windows);
    std::vector<double> value(static_cast<size_t>(outputs)), magnitude(static_cast<size_t>(outputs));
    for_each_tap(a.windows, [&](int64_t x, int64_t y, int64_t) {
      for (int64_t c = 0; c < channels; ++c) {
        const double term = static_cast<double>(a.x[x * channels + c]) / count[static_cast<size_t>(y)];
        value[static_cast<size_t>(y * channels + c)] += term;
        magnitude[static_cast<size_t>(y * channels + c)] += std::fabs(term);
      }
    });
    for (int64_t i = 0; i < outputs; ++i) problem.expect(a.y, i, value[static_cast<size_t>(i)], magnitude[static_cast<size_t>(i)]);
    use(problem);
  });
}

void avgpool_backward_problems(const Use& use) {
  for_each_shape([&](const WindowShape& s, int64_t channels, bool at_end) {
    Problem problem(describe(s, channels), at_end);
    auto a = arguments_of<nnrun_avgpool2d_backward_f32>(s, channels);
    problem.shape(a);
    Random random(6);
    const int64_t inputs = pixels(s.batch, a.windows.input) * channels;
    a.dy = problem.input(random.floats(pixels(s.batch, a.windows.output) * channels));
    a.dx = problem.output(random.floats(inputs));
    problem.arguments(a);
    const std::vector<double> count = places(a.windows);
    std::vector<double> value(static_cast<size_t>(inputs)), magnitude(static_cast<size_t>(inputs));
    for_each_tap(a.windows, [&](int64_t x, int64_t y, int64_t) {
      for (int64_t c = 0; c < channels; ++c) {
        const double term = static_cast<double>(a.dy[y * channels + c]) / count[static_cast<size_t>(y)];
        value[static_cast<size_t>(x * channels + c)] += term;
        magnitude[static_cast<size_t>(x * channels + c)] += std::fabs(term);
      }
    });
    for (int64_t i = 0; i < inputs; ++i) problem.expect(a.dx, i, value[static_cast<size_t>(i)], magnitude[static_cast<size_t>(i)]);
    use(problem);
  });
}

NNRUN_TEST_ROW(maxpool2d_forward_f32, maxpool_problems)
NNRUN_TEST_ROW(maxpool2d_backward_f32, maxpool_backward_problems)
NNRUN_TEST_ROW(avgpool2d_forward_f32, avgpool_problems)
NNRUN_TEST_ROW(avgpool2d_backward_f32, avgpool_backward_problems)

}  // namespace
