#include <catch2/catch.hpp>
#include <cmath>

#include "harness.hpp"

namespace {

struct Shape {
  int64_t batch, inputs, units, more;  // `more`: rows of x, dy and dx lie so much farther apart
};

constexpr Shape shapes[] = {{1, 1, 1, 0},     {1, 16, 7, 3},    {7, 13, 127, 0},  {13, 33, 5, 1},   {16, 128, 128, 1024},
                            {17, 112, 65, 0}, {64, 40, 100, 5}, {127, 17, 16, 0}, {16, 15, 129, 2}, {33, 48, 64, 7}};

void dense_backward_problems(const Use& use) {
  for (const Shape& s : shapes) {
    for (bool at_end : {false, true}) {
      Problem problem(std::to_string(s.batch) + "x" + std::to_string(s.inputs) + "x" + std::to_string(s.units), at_end);
      nnrun_dense_backward_f32 a = {};
      a.batch = s.batch;
      a.inputs = s.inputs;
      a.units = s.units;
      a.ldx = s.inputs + s.more;
      a.lddy = s.units + s.more;
      a.lddx = s.inputs + 2 * s.more;
      problem.shape(a);
      Random random(static_cast<uint32_t>(s.batch * 10000 + s.inputs * 100 + s.units));
      a.x = problem.input(random.floats((s.batch - 1) * a.ldx + s.inputs));
      a.dy = problem.input(random.floats((s.batch - 1) * a.lddy + s.units));
      a.weights = problem.input(random.floats(s.inputs * s.units));
      a.dx = problem.output(random.floats((s.batch - 1) * a.lddx + s.inputs));
      a.dweights = problem.output(random.floats(s.inputs * s.units));
      problem.arguments(a);
      // Sums of products of the numbers that `first(k)` and `second(k)` say.
      const auto expect = [&](const float* output, int64_t at, int64_t count, auto first, auto second) {
        double sum = 0, magnitude = 0;
        for (int64_t k = 0; k < count; ++k) {
          const double product = static_cast<double>(first(k)) * static_cast<double>(second(k));
          sum += product;
          magnitude += std::fabs(product);
        }
        problem.expect(output, at, sum, magnitude);
      };
      for (int64_t i = 0; i < s.inputs; ++i) {
        for (int64_t n = 0; n < s.batch; ++n) {
          expect(
              a.dx, n * a.lddx + i, s.units, [&](int64_t k) { return a.dy[n * a.lddy + k]; },
              [&](int64_t k) { return a.weights[i * s.units + k]; });
        }
        for (int64_t u = 0; u < s.units; ++u) {
          expect(
              a.dweights, i * s.units + u, s.batch, [&](int64_t k) { return a.x[k * a.ldx + i]; },
              [&](int64_t k) { return a.dy[k * a.lddy + u]; });
        }
      }
      use(problem);
    }
  }
}

NNRUN_TEST_ROW(dense_backward_f32, dense_backward_problems)

}  // namespace
