#include <catch2/catch.hpp>
#include <cmath>

#include "conv2d.hpp"

namespace {

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
    if (!library.missing.empty()) continue;
    for (const nnrun_kernel* kernel : library.all(name)) {
      for (Shape s : shapes()) {
        size_t last = 0;
        for (s.windows.batch = 1; s.windows.batch < 40; ++s.windows.batch) {
          const auto a = arguments_of<Arguments>(s);
          if (kernel->supports != nullptr && kernel->supports(&a) == 0) continue;
          nnrun_work work = {};
          kernel->work(&a, &work);
          INFO(library.name << " " << describe(s));
          if (work.workspace < last) FAIL_CHECK("workspace falls from " << last << " to " << work.workspace << " bytes");
          last = work.workspace;
        }
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
