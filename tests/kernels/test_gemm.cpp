#include <catch2/catch.hpp>
#include <cmath>

#include "harness.hpp"

namespace {

struct Shape {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
  int64_t gap_a, gap_b, gap_c;  // leading dimensions beyond the least
  bool bias, relu, accumulate, serial;
};

std::string describe(const Shape& s) {
  std::string text = std::string(s.transpose_a ? "T" : "N") + (s.transpose_b ? "T " : "N ") + std::to_string(s.m) + "x" +
                     std::to_string(s.n) + "x" + std::to_string(s.k) + " gaps " + std::to_string(s.gap_a) + " " + std::to_string(s.gap_b) +
                     " " + std::to_string(s.gap_c);
  for (auto [is, name] : {std::pair(s.bias, " bias"), {s.relu, " relu"}, {s.accumulate, " accumulate"}, {s.serial, " serial"}}) {
    if (is) text += name;
  }
  return text;
}

nnrun_gemm_f32 arguments_of(const Shape& s) {
  nnrun_gemm_f32 g = {};
  g.m = s.m;
  g.n = s.n;
  g.k = s.k;
  g.transpose_a = s.transpose_a;
  g.transpose_b = s.transpose_b;
  g.accumulate = s.accumulate;
  g.relu = s.relu;
  g.has_bias = s.bias;
  g.serial = s.serial;
  g.lda = (s.transpose_a ? s.m : s.k) + s.gap_a;
  g.ldb = (s.transpose_b ? s.k : s.n) + s.gap_b;
  g.ldc = s.n + s.gap_c;
  return g;
}

// (rows, columns) with `stride`; the gaps hold NaN, so that reading them shows; nothing follows the last row.
std::vector<float> matrix(Random& random, int64_t rows, int64_t columns, int64_t stride) {
  std::vector<float> x(static_cast<size_t>((rows - 1) * stride + columns), std::nanf(""));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) x[static_cast<size_t>(i * stride + j)] = random();
  }
  return x;
}

void use_shape(const Shape& s, bool at_end, const Use& use) {
  Problem problem(describe(s), at_end);
  Random random(static_cast<uint32_t>(s.m * 31 + s.n * 7 + s.k));
  nnrun_gemm_f32 g = arguments_of(s);
  problem.shape(g);
  const float* a = problem.input(matrix(random, s.transpose_a ? s.k : s.m, s.transpose_a ? s.m : s.k, g.lda));
  const float* b = problem.input(matrix(random, s.transpose_b ? s.n : s.k, s.transpose_b ? s.k : s.n, g.ldb));
  const float* bias = s.bias ? problem.input(random.floats(s.n)) : nullptr;
  const std::vector<float> initial = matrix(random, s.m, s.n, g.ldc);
  float* c = problem.output(initial);
  g.a = a;
  g.b = b;
  g.bias = bias;
  g.c = c;
  problem.arguments(g);
  std::vector<double> row(static_cast<size_t>(s.k));
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t p = 0; p < s.k; ++p)
      row[static_cast<size_t>(p)] = static_cast<double>(s.transpose_a ? a[p * g.lda + i] : a[i * g.lda + p]);
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0, magnitude = 0;
      if (s.accumulate) sum = static_cast<double>(initial[static_cast<size_t>(i * g.ldc + j)]);
      if (s.bias) sum = static_cast<double>(bias[j]);
      magnitude = std::fabs(sum);
      for (int64_t p = 0; p < s.k; ++p) {
        const double term = row[static_cast<size_t>(p)] * static_cast<double>(s.transpose_b ? b[j * g.ldb + p] : b[p * g.ldb + j]);
        sum += term;
        magnitude += std::fabs(term);
      }
      problem.expect(c, i * g.ldc + j, s.relu && sum < 0 ? 0 : sum, magnitude);
    }
  }
  use(problem);
}

void gemm_problems(const Use& use) {
  const int64_t sizes[] = {1, 7, 13, 16, 17, 64, 127, 128};
  uint32_t count = 0;
  for (int64_t m : sizes) {
    for (int64_t n : sizes) {
      for (int64_t k : sizes) {
        for (uint32_t transposes = 0; transposes < 4; ++transposes) {
          // Every combination of the rest turns up many times, with all kinds of sizes.
          const uint32_t mix = count * 2654435761u >> 16;
          Shape s = {m,
                     n,
                     k,
                     (transposes & 1) != 0,
                     (transposes & 2) != 0,
                     mix & 1 ? 3 : 0,
                     mix & 2 ? 5 : 0,
                     mix & 4 ? 7 : 0,
                     (mix & 8) != 0,
                     (mix & 16) != 0,
                     false,
                     (mix & 32) != 0};
          if (mix & 64) {
            s.accumulate = true;
            s.bias = s.relu = false;
          }
          use_shape(s, (mix & 128) != 0, use);
          ++count;
        }
      }
    }
  }
  // Beyond one tile, panel, group of rows or block of depth; strides of whole pages; few rows, much depth.
  const int64_t large[][3] = {{64, 256, 784}, {113, 300, 1100}, {230, 520, 530}, {300, 33, 270}, {1, 700, 300},
                              {2, 300, 1200}, {3, 97, 1030},    {5, 200, 777},   {9, 130, 300},  {10, 40, 64},
                              {129, 1, 200},  {16, 24, 5000},   {1, 40, 4500},   {6, 5, 9001},   {400, 700, 1030}};
  for (const auto& [m, n, k] : large) {
    for (uint32_t mix = 0; mix < 8; ++mix) {
      const bool ta = (mix & 1) != 0, tb = (mix & 2) != 0, pages = (mix & 4) != 0;
      const auto to_page = [](int64_t x) { return (1024 - x % 1024) % 1024; };
      use_shape({m, n, k, ta, tb, pages ? to_page(ta ? m : k) : 0, pages ? to_page(tb ? k : n) : 1, 2, !pages, !pages, pages, mix == 3},
                !pages, use);
    }
  }
  // Many rows of A, one behind the other, that pass by a B which stays in the caches: every width of a tile, several panels.
  const int64_t passing[][3] = {{700, 96, 16},  {520, 144, 24},  {515, 5, 30},  {901, 17, 3},   {600, 100, 130},
                                {530, 260, 90}, {1000, 16, 201}, {512, 512, 5}, {2100, 75, 64}, {640, 1, 1}};
  for (const auto& [m, n, k] : passing) {
    for (uint32_t mix = 0; mix < 4; ++mix) {
      const bool tb = (mix & 1) != 0, accumulate = (mix & 2) != 0;
      use_shape({m, n, k, false, tb, 0, 3, accumulate ? 0 : 5, !accumulate, !accumulate, accumulate, false}, tb, use);
    }
  }
}

NNRUN_TEST_ROW(gemm_f32, gemm_problems)

TEST_CASE("gemm_f32 needs no more workspace for a smaller batch") {
  for (const Library& library : libraries()) {
    const nnrun_kernel* kernel = library.find("gemm_f32");
    if (!library.missing.empty() || !kernel) continue;
    for (const auto& [n, k] :
         {std::pair<int64_t, int64_t>(10, 64), {64, 128}, {256, 784}, {1024, 1024}, {128, 32768}, {2000, 5000}, {32768, 128}}) {
      for (uint32_t transposes = 0; transposes < 6; ++transposes) {
        // Forward, data gradient: the batch is m. Weight gradient: it is k, and A is transposed.
        const bool weights = transposes >= 4;
        size_t last = 0;
        for (int64_t batch = 1; batch < 5000; batch += batch < 300 ? 1 : 97) {
          Shape s = {batch, n, k, (transposes & 1) != 0, (transposes & 2) != 0, 0, 0, 0, true, true, false, false};
          if (weights) s = {k, n, batch, true, false, 0, 0, 0, false, false, transposes == 5, transposes == 5};
          const nnrun_gemm_f32 g = arguments_of(s);
          nnrun_work work = {};
          kernel->work(&g, &work);
          INFO(library.name << " " << describe(s));
          if (work.workspace < last) FAIL_CHECK("workspace falls from " << last << " to " << work.workspace << " bytes");
          last = work.workspace;
        }
      }
    }
  }
  SUCCEED();
}

}  // namespace
