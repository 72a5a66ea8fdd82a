#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "conv2d.hpp"

namespace {

// Those whose result holds a window of the pool.
std::vector<Shape> pooled_shapes() {
  std::vector<Shape> all;
  for (const Shape& s : shapes()) {
    const nnrun_windows w = windows_of(s.windows);
    if (w.output[0] >= 2 && w.output[1] >= 2) all.push_back(s);
  }
  // Several bands of pooled rows, and a tile of each width; more filters than a block has.
  for (int64_t filters : {5, 16, 40}) all.push_back({{3, {19, 23}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 3, filters, 1});
  all.push_back({{2, {17, 34}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 24, 131, 1});
  // Windows whose rows lie apart, of few channels.
  for (int64_t channels : {1, 2, 3}) all.push_back({{2, {13, 14}, {3, 3}, {2, 1}, {2, 1}, {1, 1}, {1, 1}}, channels, 18, 1});
  return all;
}

int64_t pooled_pixels(const nnrun_windows& w) { return w.batch * (w.output[0] / 2) * (w.output[1] / 2); }

// body(pixel of the pooled picture, its place 0..3, pixel of the convolution's result)
template <class Body>
void for_each_place(const nnrun_windows& w, Body body) {
  const int64_t height = w.output[0] / 2, width = w.output[1] / 2;
  for (int64_t pooled = 0; pooled < pooled_pixels(w); ++pooled) {
    const int64_t n = pooled / width / height, row = pooled / width % height * 2, column = pooled % width * 2;
    for (int64_t place = 0; place < 4; ++place) body(pooled, place, (n * w.output[0] + row + place / 2) * w.output[1] + column + place % 2);
  }
}

void forward_problems(const Use& use) {
  uint32_t count = 0;
  for (const Shape& s : pooled_shapes()) {
    const uint32_t mix = ++count * 2654435761u >> 16;
    const bool bias = (mix & 1) != 0, relu = (mix & 2) != 0, wants_argmax = (mix & 8) != 0 || relu;
    Problem problem(describe(s) + (bias ? " bias" : "") + (relu ? " relu" : ""), (mix & 4) != 0);
    auto a = arguments_of<nnrun_conv2d_maxpool_forward_f32>(s);
    a.has_bias = bias;
    a.relu = relu;
    problem.shape(a);
    Random random(count);
    const int64_t unpooled = pixels(a.windows.batch, a.windows.output) * s.filters, outputs = pooled_pixels(a.windows) * s.filters;
    a.x = problem.input(random.floats(pixels(a.windows.batch, a.windows.input) * s.channels));
    a.weights = problem.input(random.floats(weights_of(s)));
    a.bias = bias ? problem.input(random.floats(s.filters)) : nullptr;
    a.y = problem.output(random.floats(outputs));
    a.argmax = wants_argmax ? problem.output(std::vector<uint8_t>(static_cast<size_t>(outputs), 250)) : nullptr;
    problem.arguments(a);
    Sums sums(unpooled);
    for (int64_t i = 0; bias && i < unpooled; ++i) sums.add(i, a.bias[i % s.filters], 1.0f);
    for_each_product(s, [&](int64_t x, int64_t w, int64_t y) { sums.add(y, a.x[x], a.weights[w]); });

    const auto outputs_size = static_cast<size_t>(outputs);
    std::vector<double> best(outputs_size, -1e30), magnitude(outputs_size);
    const auto each = [&](auto body) {
      for_each_place(a.windows, [&](int64_t pooled, int64_t place, int64_t pixel) {
        for (int64_t f = 0; f < s.filters; ++f)
          body(static_cast<size_t>(pooled * s.filters + f), place, static_cast<size_t>(pixel * s.filters + f));
      });
    };
    each([&](size_t to, int64_t, size_t from) {
      best[to] = std::max(best[to], sums.value[from]);
      magnitude[to] = std::max(magnitude[to], sums.magnitude[from]);
    });
    // By how much each place falls short of being the answer, and 4, where ReLU lets nothing through.
    std::vector<Problem::Shortfalls> shortfalls(outputs_size);
    const auto share = [&](double x, size_t i) { return static_cast<float>(x / std::max(magnitude[i], 1e-30)); };  // 0: padding alone
    each([&](size_t to, int64_t place, size_t from) {
      const double behind = best[to] - sums.value[from];
      shortfalls[to][static_cast<size_t>(place)] = share(std::max(behind, relu ? -best[to] : 0), to);
    });
    for (size_t i = 0; i < outputs_size; ++i) {
      shortfalls[i][4] = relu ? share(std::max(best[i], 0.0), i) : std::numeric_limits<float>::infinity();
      problem.expect(a.y, static_cast<int64_t>(i), relu && best[i] < 0 ? 0 : best[i], magnitude[i]);
      if (a.argmax) problem.expect_choice(a.argmax, static_cast<int64_t>(i), shortfalls[i]);
    }
    use(problem);
  }
}

// Places 0..3, and 4, where no gradient goes.
std::vector<uint8_t> random_places(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<uint8_t> places(static_cast<size_t>(count));
  for (uint8_t& place : places) place = static_cast<uint8_t>(engine() % 5);
  return places;
}

// The gradient of the convolution's result.
template <class Arguments>
std::vector<float> unpooled_gradient(const Arguments& a) {
  std::vector<float> dy(static_cast<size_t>(pixels(a.windows.batch, a.windows.output) * a.filters), 0.0f);
  for_each_place(a.windows, [&](int64_t pooled, int64_t place, int64_t pixel) {
    for (int64_t f = 0; f < a.filters; ++f) {
      const int64_t from = pooled * a.filters + f;
      if (a.argmax[from] == place) dy[static_cast<size_t>(pixel * a.filters + f)] = a.dy[from];
    }
  });
  return dy;
}

void backward_data_problems(const Use& use) {
  uint32_t count = 0;
  for (const Shape& s : pooled_shapes()) {
    Problem problem(describe(s), ++count % 2 == 0);
    auto a = arguments_of<nnrun_conv2d_maxpool_backward_data_f32>(s);
    problem.shape(a);
    Random random(count);
    const int64_t inputs = pixels(a.windows.batch, a.windows.input) * s.channels, outputs = pooled_pixels(a.windows) * s.filters;
    a.dy = problem.input(random.floats(outputs));
    a.argmax = problem.input(random_places(outputs, count));
    a.weights = problem.input(random.floats(weights_of(s)));
    a.dx = problem.output(random.floats(inputs));
    problem.arguments(a);
    const std::vector<float> dy = unpooled_gradient(a);
    Sums sums(inputs);
    for_each_product(s, [&](int64_t x, int64_t w, int64_t y) { sums.add(x, dy[static_cast<size_t>(y)], a.weights[w]); });
    sums.expect(problem, a.dx);
    use(problem);
  }
}

void backward_weights_problems(const Use& use) {
  uint32_t count = 0;
  for (const Shape& s : pooled_shapes()) {
    const uint32_t mix = ++count * 2654435761u >> 16;
    const bool bias = (mix & 1) != 0;
    Problem problem(describe(s) + (bias ? " bias" : ""), (mix & 2) != 0);
    auto a = arguments_of<nnrun_conv2d_maxpool_backward_weights_f32>(s);
    a.has_bias = bias;
    problem.shape(a);
    Random random(count);
    const int64_t outputs = pooled_pixels(a.windows) * s.filters;
    a.x = problem.input(random.floats(pixels(a.windows.batch, a.windows.input) * s.channels));
    a.dy = problem.input(random.floats(outputs));
    a.argmax = problem.input(random_places(outputs, count));
    a.dweights = problem.output(random.floats(weights_of(s)));
    a.dbias = bias ? problem.output(random.floats(s.filters)) : nullptr;
    problem.arguments(a);
    const std::vector<float> dy = unpooled_gradient(a);
    Sums sums(weights_of(s)), bias_sums(bias ? s.filters : 0);
    for_each_product(s, [&](int64_t x, int64_t w, int64_t y) { sums.add(w, a.x[x], dy[static_cast<size_t>(y)]); });
    for (size_t i = 0; bias && i < dy.size(); ++i) bias_sums.add(static_cast<int64_t>(i) % s.filters, dy[i], 1.0f);
    sums.expect(problem, a.dweights);
    if (bias) bias_sums.expect(problem, a.dbias);
    use(problem);
  }
}

NNRUN_TEST_ROW(conv2d_maxpool_forward_f32, forward_problems)
NNRUN_TEST_ROW(conv2d_maxpool_backward_data_f32, backward_data_problems)
NNRUN_TEST_ROW(conv2d_maxpool_backward_weights_f32, backward_weights_problems)

}  // namespace
