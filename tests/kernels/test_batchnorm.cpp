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

NNRUN_TEST_ROW(batchnorm_f32, batchnorm_problems)
NNRUN_TEST_ROW(batchnorm_backward_f32, batchnorm_backward_problems)

}  // namespace
