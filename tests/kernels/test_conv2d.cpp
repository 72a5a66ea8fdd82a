#include <catch2/catch.hpp>
#include <cmath>

#include "harness.hpp"
#include "windows.hpp"

namespace {

struct Shape {
  WindowShape windows;
  int64_t channels, filters, groups;
};

// Every size that a tile, a panel, a block or a border could treat in its own way.
std::vector<Shape> shapes() {
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
  for (int64_t filters : {64, 80, 100, 129})
    all.push_back({{2, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 19, filters, 1});
  all.push_back({{9, {13, 13}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 32, 32, 1});
  return all;
}

std::string describe(const Shape& s) {
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

int64_t weights_of(const Shape& s) { return s.filters * s.windows.kernel[0] * s.windows.kernel[1] * (s.channels / s.groups); }

// body(index in x, index in weights, index in y) for all products.
template <class Body>
void for_each_product(const Shape& s, Body body) {
  const nnrun_windows w = windows_of(s.windows);
  const int64_t depth = s.channels / s.groups, width = s.filters / s.groups, taps = w.kernel[0] * w.kernel[1];
  for_each_tap(w, [&](int64_t x, int64_t y, int64_t tap) {
    for (int64_t f = 0; f < s.filters; ++f) {
      for (int64_t c = 0; c < depth; ++c)
        body(x * s.channels + f / width * depth + c, (f * taps + tap) * depth + c, y * s.filters + f);
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

void forward_problems(const Use& use) {
  uint32_t count = 0;
  for (const Shape& s : shapes()) {
    const uint32_t mix = ++count * 2654435761u >> 16;
    const bool bias = (mix & 1) != 0, relu = (mix & 2) != 0;
    Problem problem(describe(s) + (bias ? " bias" : "") + (relu ? " relu" : ""), (mix & 4) != 0);
    auto a = arguments_of<nnrun_conv2d_forward_f32>(s);
    a.has_bias = bias;
    a.relu = relu;
    problem.shape(a);
    Random random(count);
    const int64_t outputs = pixels(a.windows.batch, a.windows.output) * s.filters;
    a.x = problem.input(random.floats(pixels(a.windows.batch, a.windows.input) * s.channels));
    a.weights = problem.input(random.floats(weights_of(s)));
    a.bias = bias ? problem.input(random.floats(s.filters)) : nullptr;
    a.y = problem.output(random.floats(outputs));
    problem.arguments(a);
    Sums sums(outputs);
    for (int64_t i = 0; bias && i < outputs; ++i) sums.add(i, a.bias[i % s.filters], 1.0f);
    for_each_product(s, [&](int64_t x, int64_t w, int64_t y) { sums.add(y, a.x[x], a.weights[w]); });
    for (double& value : sums.value) value = relu && value < 0 ? 0 : value;
    sums.expect(problem, a.y);
    use(problem);
  }
}

void backward_data_problems(const Use& use) {
  uint32_t count = 0;
  for (const Shape& s : shapes()) {
    Problem problem(describe(s), ++count % 2 == 0);
    auto a = arguments_of<nnrun_conv2d_backward_data_f32>(s);
    problem.shape(a);
    Random random(count);
    const int64_t inputs = pixels(a.windows.batch, a.windows.input) * s.channels;
    a.dy = problem.input(random.floats(pixels(a.windows.batch, a.windows.output) * s.filters));
    a.weights = problem.input(random.floats(weights_of(s)));
    a.dx = problem.output(random.floats(inputs));
    problem.arguments(a);
    Sums sums(inputs);
    for_each_product(s, [&](int64_t x, int64_t w, int64_t y) { sums.add(x, a.dy[y], a.weights[w]); });
    sums.expect(problem, a.dx);
    use(problem);
  }
}

void backward_weights_problems(const Use& use) {
  uint32_t count = 0;
  for (const Shape& s : shapes()) {
    const uint32_t mix = ++count * 2654435761u >> 16;
    const bool bias = (mix & 1) != 0;
    Problem problem(describe(s) + (bias ? " bias" : ""), (mix & 2) != 0);
    auto a = arguments_of<nnrun_conv2d_backward_weights_f32>(s);
    a.has_bias = bias;
    problem.shape(a);
    Random random(count);
    const int64_t outputs = pixels(a.windows.batch, a.windows.output) * s.filters;
    a.x = problem.input(random.floats(pixels(a.windows.batch, a.windows.input) * s.channels));
    a.dy = problem.input(random.floats(outputs));
    a.dweights = problem.output(random.floats(weights_of(s)));
    a.dbias = bias ? problem.output(random.floats(s.filters)) : nullptr;
    problem.arguments(a);
    Sums sums(weights_of(s)), bias_sums(bias ? s.filters : 0);
    for_each_product(s, [&](int64_t x, int64_t w, int64_t y) { sums.add(w, a.x[x], a.dy[y]); });
    for (int64_t i = 0; bias && i < outputs; ++i) bias_sums.add(i % s.filters, a.dy[i], 1.0f);
    sums.expect(problem, a.dweights);
    if (bias) bias_sums.expect(problem, a.dbias);
    use(problem);
  }
}

NNRUN_TEST_ROW(conv2d_forward_f32, forward_problems)
NNRUN_TEST_ROW(conv2d_backward_data_f32, backward_data_problems)
NNRUN_TEST_ROW(conv2d_backward_weights_f32, backward_weights_problems)

template <class Arguments>
void check_workspace(const char* name) {
  for (const Library& library : libraries()) {
    const nnrun_kernel* kernel = library.find(name);
    if (!library.missing.empty() || !kernel) continue;
    for (Shape s : shapes()) {
      size_t last = 0;
      for (s.windows.batch = 1; s.windows.batch < 40; ++s.windows.batch) {
        const auto a = arguments_of<Arguments>(s);
        nnrun_work work = {};
        kernel->work(&a, &work);
        INFO(library.name << " " << describe(s));
        if (work.workspace < last) FAIL_CHECK("workspace falls from " << last << " to " << work.workspace << " bytes");
        last = work.workspace;
      }
    }
  }
  SUCCEED();
}

TEST_CASE("convolutions need no more workspace for a smaller batch") {
  check_workspace<nnrun_conv2d_forward_f32>("conv2d_forward_f32");
  check_workspace<nnrun_conv2d_backward_data_f32>("conv2d_backward_data_f32");
  check_workspace<nnrun_conv2d_backward_weights_f32>("conv2d_backward_weights_f32");
}

}  // namespace
