#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

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

constexpr int64_t sliced_batch = 4;

// Runs the phases up to the one that goes through the batch, of that one the ranges of one slice.
template <class Arguments>
void run_slice(const nnrun_kernel& kernel, const Arguments& a, int64_t slice, int64_t slices) {
  nnrun_work work = {};
  kernel.work(&a, &work);
  const std::unique_ptr<void, decltype(&std::free)> workspace(std::aligned_alloc(64, work.workspace / 64 * 64 + 64), std::free);
  const uint32_t last = work.batch_phase - 1;
  for (uint32_t phase = 0; phase < last; ++phase) {
    for (int64_t range = 0; range < work.ranges[phase]; ++range) kernel.run(&a, workspace.get(), phase, range);
  }
  const int64_t ranges = work.ranges[last] / slices;
  for (int64_t range = ranges * slice; range < ranges * (slice + 1); ++range) kernel.run(&a, workspace.get(), last, range);
}

// `set(a, source, weights, target)` puts these into the arguments; floats of a sample of source and target.
template <class Arguments, class Set>
void check_slices(const nnrun_kernel& kernel, const Shape& s, int64_t source_floats, int64_t target_floats, Set set) {
  auto a = arguments_of<Arguments>(s);
  nnrun_work work = {};
  kernel.work(&a, &work);
  if (work.batch_phase == 0) return;
  Random random(7);
  const std::vector<float> source = random.floats(sliced_batch * source_floats), weights = random.floats(weights_of(s));
  const auto run = [&](const std::vector<float>& from, int64_t slice, int64_t slices) {
    std::vector<float> target(static_cast<size_t>(sliced_batch * target_floats), -77.0f);
    set(a, from.data(), weights.data(), target.data());
    run_slice(kernel, a, slice, slices);
    return target;
  };
  const std::vector<float> whole = run(source, 0, 1);
  for (int64_t slices : {2, 4}) {
    if (work.ranges[work.batch_phase - 1] % slices != 0) continue;
    for (int64_t slice = 0; slice < slices; ++slice) {
      const int64_t begin = sliced_batch * slice / slices, end = sliced_batch * (slice + 1) / slices;
      // A number of another sample would show.
      std::vector<float> own(source.size(), std::numeric_limits<float>::quiet_NaN());
      std::copy(source.begin() + begin * source_floats, source.begin() + end * source_floats, own.begin() + begin * source_floats);
      std::vector<float> expected(whole.size(), -77.0f);
      std::copy(whole.begin() + begin * target_floats, whole.begin() + end * target_floats, expected.begin() + begin * target_floats);
      const std::vector<float> got = run(own, slice, slices);
      INFO(describe(s) << ", slice " << slice << " of " << slices << " " << (kernel.algorithm ? kernel.algorithm : ""));
      CHECK(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("slices of a convolution's batch are computed from themselves alone, with the same bits") {
  std::vector<Shape> all = shapes();
  all.push_back({{4, {28, 28}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 20, 40, 1});  // several groups of pixels
  for (Shape& s : all) {
    s.windows.batch = sliced_batch;
    const nnrun_windows w = windows_of(s.windows);
    const int64_t x = pixels(1, w.input) * s.channels, y = pixels(1, w.output) * s.filters;
    for (const Library& library : libraries()) {
      if (!library.missing.empty()) continue;
      INFO(library.name);
      const auto each = [&](const char* name, const void* arguments, auto body) {
        for (const nnrun_kernel* kernel : library.all(name)) {
          if (kernel->run != nullptr && (kernel->supports == nullptr || kernel->supports(arguments) != 0)) body(*kernel);
        }
      };
      const auto forward = arguments_of<nnrun_conv2d_forward_f32>(s);
      each("conv2d_forward_f32", &forward, [&](const nnrun_kernel& kernel) {
        check_slices<nnrun_conv2d_forward_f32>(kernel, s, x, y, [](auto& a, const float* source, const float* weights, float* target) {
          a.x = source, a.weights = weights, a.y = target;
        });
      });
      const auto backward = arguments_of<nnrun_conv2d_backward_data_f32>(s);
      each("conv2d_backward_data_f32", &backward, [&](const nnrun_kernel& kernel) {
        using Arguments = nnrun_conv2d_backward_data_f32;
        check_slices<Arguments>(kernel, s, y, x, [](auto& a, const float* source, const float* weights, float* target) {
          a.dy = source, a.weights = weights, a.dx = target;
        });
      });
    }
  }
}

}  // namespace
