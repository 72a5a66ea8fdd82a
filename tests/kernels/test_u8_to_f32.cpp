#include <catch2/catch.hpp>

#include "harness.hpp"

namespace {

void u8_to_f32_problems(const Use& use) {
  for (int64_t count : {1, 7, 13, 16, 17, 64, 127, 128, 784, 16384, 16385, 40000}) {
    for (bool at_end : {false, true}) {
      Problem problem(std::to_string(count), at_end);
      nnrun_u8_to_f32 a = {};
      a.count = count;
      a.scale = at_end ? 1.0f / 255 : 0.0131f;
      a.offset = at_end ? 0.0f : -0.4242f;
      problem.shape(a);
      std::vector<uint8_t> x(static_cast<size_t>(count));
      for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i * 7);
      a.x = problem.input(x);
      a.y = problem.output(Random(1).floats(count));
      problem.arguments(a);
      for (size_t i = 0; i < x.size(); ++i) {
        volatile float product = static_cast<float>(x[i]) * a.scale;  // rounded on its own
        problem.expect(a.y, static_cast<int64_t>(i), static_cast<double>(product + a.offset), 0);
      }
      use(problem);
    }
  }
}

NNRUN_TEST_ROW(u8_to_f32, u8_to_f32_problems)

}  // namespace
