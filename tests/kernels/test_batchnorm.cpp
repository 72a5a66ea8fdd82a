#include <catch2/catch.hpp>
#include <cmath>

#include "harness.hpp"

namespace {

struct Column {
  double mean = 0, variance = 0, inverse = 0;
};

Column column_of(const std::vector<float>& x, int64_t rows, int64_t columns, int64_t j, double epsilon) {
  const auto at = [&](int64_t i) { return static_cast<double>(x[static_cast<size_t>(i * columns + j)]); };
  Column c;
  for (int64_t i = 0; i < rows; ++i) c.mean += at(i) / static_cast<double>(rows);
  for (int64_t i = 0; i < rows; ++i) c.variance += (at(i) - c.mean) * (at(i) - c.mean) / static_cast<double>(rows);
  c.inverse = 1 / std::sqrt(c.variance + epsilon);
  return c;
}

// Columns with different means and spreads; one in five is constant.
std::vector<float> inputs(int64_t rows, int64_t columns) {
  Random random(static_cast<uint32_t>(rows * 1000 + columns));
  std::vector<float> x = random.floats(rows * columns);
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t j = i % static_cast<size_t>(columns);
    x[i] = j % 5 == 3 ? 1.25f : x[i] * static_cast<float>(j % 3 + 1) + static_cast<float>(j % 4) * 0.5f;
  }
  return x;
}

constexpr int64_t row_counts[] = {1, 2, 7, 13, 64, 127, 1030};
constexpr int64_t column_counts[] = {1, 7, 13, 16, 17, 64, 127, 128, 300};

void batchnorm_problems(const Use& use) {
  for (int64_t rows : row_counts) {
    for (int64_t columns : column_counts) {
      for (const int way : {0, 1, 2, 3}) {
        const bool training = way % 2 == 1, relu = way >= 2;
        Problem problem(std::to_string(rows) + "x" + std::to_string(columns) + (training ? " training" : "") + (relu ? " relu" : ""),
                        (rows + columns) % 2 == 0);
        nnrun_batchnorm_f32 a = {};
        a.rows = rows;
        a.columns = columns;
        a.epsilon = 1e-3f;
        a.training = training;
        a.relu = relu;
        problem.shape(a);
        Random random(1);
        const std::vector<float> x = inputs(rows, columns);
        a.x = problem.input(x);
        a.gamma = problem.input(random.floats(columns));
        a.beta = problem.input(random.floats(columns));
        a.y = problem.output(random.floats(rows * columns));
        std::vector<float> variance = random.floats(columns);
        for (float& v : variance) v *= v;
        a.mean = training ? problem.output(random.floats(columns)) : problem.input(random.floats(columns));
        a.variance = training ? problem.output(variance) : problem.input(variance);
        a.inverse = training ? problem.output(random.floats(columns)) : nullptr;
        problem.arguments(a);
        for (int64_t j = 0; j < columns; ++j) {
          Column c = column_of(x, rows, columns, j, static_cast<double>(a.epsilon));
          if (!training) {
            c.mean = static_cast<double>(a.mean[j]);
            c.variance = static_cast<double>(a.variance[j]);
            c.inverse = 1 / std::sqrt(c.variance + static_cast<double>(a.epsilon));
          }
          const double spread = c.variance + c.mean * c.mean;          // what the variance is a difference of
          const double relative = 1 + spread * c.inverse * c.inverse;  // and what that makes of the inverse
          if (training) {
            problem.expect(a.mean, j, c.mean, std::sqrt(spread));
            problem.expect(a.variance, j, c.variance, spread);
            problem.expect(a.inverse, j, c.inverse, c.inverse * relative);
          }
          for (int64_t i = 0; i < rows; ++i) {
            const double value = static_cast<double>(a.x[i * columns + j]), gamma = static_cast<double>(a.gamma[j]);
            const double beta = static_cast<double>(a.beta[j]);
            const double y = (value - c.mean) * c.inverse * gamma + beta;
            problem.expect(a.y, i * columns + j, relu ? std::max(y, 0.0) : y,
                           (std::fabs(value) + std::sqrt(spread)) * c.inverse * std::fabs(gamma) * relative + std::fabs(beta));
          }
        }
        use(problem);
      }
    }
  }
}

struct Backward {
  const char* what;
  bool over_dy, over_x, relu, training, has_gradient;
};

constexpr Backward backward_ways[] = {{"", false, false, false, true, true},           {" over dy", true, false, false, true, true},
                                      {" over x", false, true, false, true, true},     {" relu", false, false, true, true, true},
                                      {" relu over x", false, true, true, true, true}, {" relu, no dx", false, false, true, true, false},
                                      {" frozen", false, false, false, false, true},   {" frozen relu", false, false, true, false, true}};

std::vector<float> away_from_zero(Random& random, int64_t count) {
  std::vector<float> numbers = random.floats(count);
  for (float& number : numbers) number += std::copysign(0.05f, number);
  return numbers;
}

void batchnorm_backward_problems(const Use& use) {
  for (int64_t rows : row_counts) {
    for (int64_t columns : column_counts) {
      for (const Backward& way : backward_ways) {
        Problem problem(std::to_string(rows) + "x" + std::to_string(columns) + way.what, (rows + columns) % 2 == 0);
        nnrun_batchnorm_backward_f32 a = {};
        a.rows = rows;
        a.columns = columns;
        a.relu = way.relu;
        a.training = way.training;
        a.has_gradient = way.has_gradient;
        problem.shape(a);
        Random random(2);
        std::vector<float> x = inputs(rows, columns);
        const std::vector<float> dy = random.floats(rows * columns), gamma = random.floats(columns), beta = away_from_zero(random, columns);
        std::vector<float> mean, inverse;
        for (int64_t j = 0; j < columns; ++j) {
          const Column c = column_of(x, rows, columns, j, 1e-3);
          mean.push_back(static_cast<float>(c.mean));
          inverse.push_back(static_cast<float>(c.inverse));
        }
        // Where ReLU's kink is within rounding, either side of it would do.
        const auto y_of = [&](size_t i) {
          const size_t j = i % static_cast<size_t>(columns);
          return (x[i] - mean[j]) * inverse[j] * gamma[j] + beta[j];
        };
        for (size_t i = 0; way.relu && i < x.size(); ++i) {
          while (std::fabs(y_of(i)) < 1e-3f) x[i] += 0.01f;
        }
        const auto g_of = [&](int64_t i, int64_t j) {
          const auto at = static_cast<size_t>(i * columns + j);
          return way.relu && y_of(at) < 0 ? 0 : static_cast<double>(dy[at]);
        };
        a.dx = way.has_gradient ? problem.output(way.over_dy ? dy : way.over_x ? x : random.floats(rows * columns)) : nullptr;
        a.x = way.over_x ? a.dx : problem.input(x);
        a.dy = way.over_dy ? a.dx : problem.input(dy);
        a.gamma = problem.input(gamma);
        a.beta = way.relu ? problem.input(beta) : nullptr;
        a.mean = problem.input(mean);
        a.inverse = problem.input(inverse);
        a.dgamma = problem.output(random.floats(columns));
        a.dbeta = problem.output(random.floats(columns));
        problem.arguments(a);
        for (int64_t j = 0; j < columns; ++j) {
          const double m = static_cast<double>(a.mean[j]), inverse_j = static_cast<double>(a.inverse[j]);
          double dgamma = 0, dbeta = 0, dgamma_size = 0, dbeta_size = 0;
          for (int64_t i = 0; i < rows && way.training; ++i) {
            const double value = static_cast<double>(x[static_cast<size_t>(i * columns + j)]), g = g_of(i, j);
            dgamma += g * (value - m) * inverse_j;
            dgamma_size += std::fabs(g) * (std::fabs(value) + std::fabs(m)) * inverse_j;
            dbeta += g;
            dbeta_size += std::fabs(g);
          }
          if (way.training) {
            problem.expect(a.dgamma, j, dgamma, dgamma_size);
            problem.expect(a.dbeta, j, dbeta, dbeta_size);
          }
          const double n = static_cast<double>(rows), scale = static_cast<double>(a.gamma[j]) * inverse_j / n;
          for (int64_t i = 0; i < rows && way.has_gradient; ++i) {
            const double value = static_cast<double>(x[static_cast<size_t>(i * columns + j)]), g = g_of(i, j);
            problem.expect(
                a.dx, i * columns + j, scale * (n * g - dbeta - (value - m) * inverse_j * dgamma),
                std::fabs(scale) * (n * std::fabs(g) + dbeta_size + (std::fabs(value) + std::fabs(m)) * inverse_j * dgamma_size));
          }
        }
        use(problem);
      }
    }
  }
}

// The ranges that belong to a slice of the batch write the rows of its samples, and no others.
void check_slices(const nnrun_kernel& kernel, int64_t batch, int64_t rows_of_sample, int64_t columns) {
  nnrun_batchnorm_f32 a = {};
  a.rows = batch * rows_of_sample;
  a.columns = columns;
  a.epsilon = 1e-3f;
  a.training = 1;
  nnrun_work work{};
  kernel.work(&a, &work);
  REQUIRE(work.batch_phase == 3);
  const std::vector<float> x = inputs(a.rows, columns), ones(static_cast<size_t>(columns), 1.0f);
  std::vector<float> statistics(static_cast<size_t>(3 * columns)), workspace(work.workspace / sizeof(float));
  a.x = x.data();
  a.gamma = a.beta = ones.data();
  a.mean = statistics.data();
  a.variance = a.mean + columns;
  a.inverse = a.variance + columns;
  for (uint32_t phase = 0; phase < 2; ++phase) {
    for (int64_t range = 0; range < work.ranges[phase]; ++range) kernel.run(&a, workspace.data(), phase, range);
  }
  for (int64_t slices = 2; slices <= batch; ++slices) {
    if (batch % slices != 0 || work.ranges[2] % slices != 0) continue;
    constexpr float untouched = -1000;
    std::vector<float> y(x.size(), untouched);
    a.y = y.data();
    const int64_t slice = slices / 2, ranges = work.ranges[2] / slices, samples = batch / slices;
    for (int64_t range = slice * ranges; range < (slice + 1) * ranges; ++range) kernel.run(&a, workspace.data(), 2, range);
    int64_t wrong = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      const int64_t sample = static_cast<int64_t>(i) / columns / rows_of_sample;
      const bool inside = sample >= slice * samples && sample < (slice + 1) * samples;
      wrong += (y[i] != untouched) == inside ? 0 : 1;
    }
    INFO(batch << " samples of " << rows_of_sample << " rows, " << columns << " columns, " << slices << " slices");
    CHECK(wrong == 0);
  }
}

TEST_CASE("slices of batch norm's batch are whole samples") {
  for (const Library& library : libraries()) {
    const nnrun_kernel* kernel = library.find("batchnorm_f32");
    if (kernel == nullptr || !library.missing.empty() || library.name == "scalar") continue;
    INFO(library.name);
    check_slices(*kernel, 64, 1024, 24);     // blocks of one size
    check_slices(*kernel, 64, 1024, 20);     // halves of halves
    check_slices(*kernel, 64, 31 * 37, 20);  // uneven blocks
    check_slices(*kernel, 24, 31 * 37, 64);
    check_slices(*kernel, 128, 23, 96);
  }
}

NNRUN_TEST_ROW(batchnorm_f32, batchnorm_problems)
NNRUN_TEST_ROW(batchnorm_backward_f32, batchnorm_backward_problems)

}  // namespace
