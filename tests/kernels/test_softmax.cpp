#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "harness.hpp"

namespace {

// Rows of different character: ordinary, spread wide, shifted far, with -infinity, with NaN, all equal.
std::vector<float> logits(int64_t rows, int64_t columns) {
  Random random(static_cast<uint32_t>(rows * 100 + columns));
  std::vector<float> x = random.floats(rows * columns);
  for (int64_t i = 0; i < rows; ++i) {
    float* row = x.data() + i * columns;
    for (int64_t j = 0; j < columns; ++j) {
      if (i % 6 == 1) row[j] *= 50;
      if (i % 6 == 2) row[j] += 1000;
      if (i % 6 == 5) row[j] = -3;
    }
    if (i % 6 == 3 && columns > 1) row[i % columns] = -std::numeric_limits<float>::infinity();
    if (i % 6 == 4) row[i % columns] = std::nanf("");
  }
  return x;
}

struct Row {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
};

Row row_of(const float* x, int64_t columns) {
  Row row;
  for (int64_t j = 0; j < columns; ++j) row.largest = std::max(row.largest, static_cast<double>(x[j]));
  for (int64_t j = 0; j < columns; ++j) row.sum += std::exp(static_cast<double>(x[j]) - row.largest);
  return row;
}

// exp's argument is a difference that float rounds, so its magnitude counts as well.
double probability_magnitude(double p, double x, const Row& row) { return p == 0 ? 0 : p * (1 + std::fabs(x) + std::fabs(row.largest)); }

constexpr int64_t row_counts[] = {1, 7, 13, 64, 127};
constexpr int64_t column_counts[] = {1, 2, 7, 10, 13, 16, 17, 64, 127, 128, 1000};

void softmax_problems(const Use& use) {
  for (int64_t rows : row_counts) {
    for (int64_t columns : column_counts) {
      for (bool at_end : {false, true}) {
        const bool in_place = (rows + columns) % 2 == 0;
        Problem problem(std::to_string(rows) + "x" + std::to_string(columns) + (in_place ? " in place" : ""), at_end);
        nnrun_softmax_f32 a = {};
        a.rows = rows;
        a.columns = columns;
        problem.shape(a);
        const std::vector<float> x = logits(rows, columns);
        a.y = problem.output(in_place ? x : Random(1).floats(rows * columns));
        a.x = in_place ? a.y : problem.input(x);
        problem.arguments(a);
        for (int64_t i = 0; i < rows; ++i) {
          const float* values = x.data() + i * columns;
          const Row row = row_of(values, columns);
          for (int64_t j = 0; j < columns; ++j) {
            const double value = static_cast<double>(values[j]), p = std::exp(value - row.largest) / row.sum;
            problem.expect(a.y, i * columns + j, p, probability_magnitude(p, value, row));
          }
        }
        use(problem);
      }
    }
  }
}

enum class Targets {
  labels,
  smoothed_labels,
  distributions,
  smoothed_distributions
};

// Random shares that add up to 1; every third row has zeros.
std::vector<float> distributions(int64_t rows, int64_t columns) {
  Random random(7);
  std::vector<float> q(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < rows; ++i) {
    float* row = q.data() + i * columns;
    float sum = 0;
    for (int64_t j = 0; j < columns; ++j) {
      row[j] = i % 3 == 0 && j % 2 == 1 ? 0.0f : std::fabs(random()) + 0.01f;
      sum += row[j];
    }
    for (int64_t j = 0; j < columns; ++j) row[j] /= sum;
  }
  return q;
}

void softmax_cross_entropy_problem(int64_t rows, int64_t columns, bool at_end, Targets targets, const Use& use) {
  const bool gradient = (rows + columns) % 3 != 0;
  const char* names[] = {"", ", smoothed", ", distributions", ", smoothed distributions"};
  Problem problem(
      std::to_string(rows) + "x" + std::to_string(columns) + (gradient ? " with gradient" : "") + names[static_cast<int>(targets)], at_end);
  nnrun_softmax_cross_entropy_f32 a = {};
  a.rows = rows;
  a.columns = columns;
  a.scale = 1.0f / static_cast<float>(rows);
  a.smoothing = targets == Targets::smoothed_labels ? 0.1f : targets == Targets::smoothed_distributions ? 0.25f : 0.0f;
  a.has_gradient = gradient;
  problem.shape(a);
  std::vector<int32_t> label(static_cast<size_t>(rows));
  for (size_t i = 0; i < label.size(); ++i) label[i] = static_cast<int32_t>(i * 5 % static_cast<size_t>(columns));
  const bool soft = targets == Targets::distributions || targets == Targets::smoothed_distributions;
  a.x = problem.input(logits(rows, columns));
  if (soft) {
    a.target = problem.input(distributions(rows, columns));
  } else {
    a.label = problem.input(label);
  }
  a.loss = problem.output(Random(1).floats(rows));
  a.dx = gradient ? problem.output(Random(2).floats(rows * columns)) : nullptr;
  problem.arguments(a);
  const double scale = static_cast<double>(a.scale), smoothing = static_cast<double>(a.smoothing);
  for (int64_t i = 0; i < rows; ++i) {
    const float* values = a.x + i * columns;
    const Row row = row_of(values, columns);
    double loss = std::log(row.sum), magnitude = 1 + std::log(row.sum);
    for (int64_t j = 0; j < columns; ++j) {
      const double value = static_cast<double>(values[j]), p = std::exp(value - row.largest) / row.sum;
      const double hot = soft ? static_cast<double>(a.target[i * columns + j]) : j == a.label[i] ? 1 : 0;
      const double q = (1 - smoothing) * hot + smoothing / static_cast<double>(columns);
      if (q > 0) {
        loss += q * (row.largest - value);
        magnitude += q * (std::fabs(row.largest) + std::fabs(value));
      }
      if (gradient) problem.expect(a.dx, i * columns + j, (p - q) * scale, (probability_magnitude(p, value, row) + q) * scale);
    }
    problem.expect(a.loss, i, loss, magnitude);
  }
  use(problem);
}

void softmax_cross_entropy_problems(const Use& use) {
  for (int64_t rows : row_counts) {
    for (int64_t columns : column_counts) {
      for (bool at_end : {false, true}) {
        for (const Targets targets : {Targets::labels, Targets::smoothed_labels, Targets::distributions, Targets::smoothed_distributions}) {
          softmax_cross_entropy_problem(rows, columns, at_end, targets, use);
        }
      }
    }
  }
}

NNRUN_TEST_ROW(softmax_f32, softmax_problems)
NNRUN_TEST_ROW(softmax_cross_entropy_f32, softmax_cross_entropy_problems)

}  // namespace
