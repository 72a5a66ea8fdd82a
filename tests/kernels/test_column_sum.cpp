#include <catch2/catch.hpp>
#include <cmath>

#include "harness.hpp"

namespace {

void column_sum_problems(const Use& use) {
  for (int64_t rows : {1, 2, 7, 13, 64, 127, 511, 513, 1030}) {
    for (int64_t columns : {1, 7, 13, 16, 17, 64, 127, 128, 300}) {
      for (bool at_end : {false, true}) {
        const int64_t stride = columns + (at_end ? 5 : 0);
        Problem problem(std::to_string(rows) + "x" + std::to_string(columns) + " stride " + std::to_string(stride), at_end);
        nnrun_column_sum_f32 a = {};
        a.rows = rows;
        a.columns = columns;
        a.ldx = stride;
        problem.shape(a);
        Random random(static_cast<uint32_t>(rows * 1000 + columns));
        a.x = problem.input(random.floats((rows - 1) * stride + columns));
        a.sum = problem.output(random.floats(columns));
        problem.arguments(a);
        for (int64_t j = 0; j < columns; ++j) {
          double sum = 0, magnitude = 0;
          for (int64_t i = 0; i < rows; ++i) {
            sum += static_cast<double>(a.x[i * stride + j]);
            magnitude += std::fabs(static_cast<double>(a.x[i * stride + j]));
          }
          problem.expect(a.sum, j, sum, magnitude);
        }
        use(problem);
      }
    }
  }
}

NNRUN_TEST_ROW(column_sum_f32, column_sum_problems)

}  // namespace
