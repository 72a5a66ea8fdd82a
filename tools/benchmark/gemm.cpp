// gemm_f32 of one kernel library against OpenBLAS, interleaved in one process: GFLOP/s and the share of the machine's FMA peak,
// measured in the same run. Where clocks drift and neighbours make noise, only ratios from one run mean something; each figure
// is the least time of many rounds.
//
//     env -u OPENBLAS_CORETYPE nnrun_benchmark_gemm [LIBRARY] [--json] [--seconds EACH] [--only TEXT]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "measuring.hpp"

#ifdef NNRUN_HAVE_OPENBLAS
extern "C" {
void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
                 int ldb, float beta, float* c, int ldc);
void openblas_set_num_threads(int threads);
char* openblas_get_corename();
}
#endif

namespace {

using benchmark::Buffer;

struct Shape {
  const char* what;
  int m, n, k;
  bool transpose_a, transpose_b;
};

constexpr Shape shapes[] = {
    {"forward", 64, 256, 784, false, false},
    {"forward", 64, 128, 256, false, false},
    {"forward", 64, 64, 128, false, false},
    {"forward", 64, 10, 64, false, false},
    {"weight gradient", 784, 256, 64, true, false},
    {"weight gradient", 256, 128, 64, true, false},
    {"weight gradient", 128, 64, 64, true, false},
    {"weight gradient", 64, 10, 64, true, false},
    {"data gradient", 64, 256, 128, false, true},
    {"data gradient", 64, 128, 64, false, true},
    {"data gradient", 64, 64, 10, false, true},
    {"transposed weights", 64, 256, 784, false, true},
    {"batch 1", 1, 256, 784, false, false},
    {"batch 1", 1, 128, 256, false, false},
    {"batch 1, transposed", 1, 256, 784, false, true},
    {"batch 16", 16, 256, 784, false, false},
    {"batch 1024", 1024, 256, 784, false, false},
    {"batch 1024", 1024, 128, 256, false, false},
    {"batch 1024, weights", 784, 256, 1024, true, false},
    {"batch 1024, data", 1024, 256, 128, false, true},
    {"photos' dense", 16, 128, 32768, false, false},
    {"photos' dense, weights", 32768, 128, 16, true, false},
    {"photos' dense, data", 16, 32768, 128, false, true},
    {"rows a page apart", 64, 1024, 1024, false, false},
    {"rows a page apart", 64, 1024, 1024, false, true},
    {"square", 512, 512, 512, false, false},
    {"large", 2048, 2048, 2048, false, false},
    {"large", 2048, 2048, 2048, true, false},
    {"large", 2048, 2048, 2048, false, true},
    {"large, uneven", 2001, 1999, 2003, false, false},
};

std::string name_of(const Shape& s) {
  return std::string(s.transpose_a ? "T" : "N") + (s.transpose_b ? "T" : "N") + " " + std::to_string(s.m) + "x" + std::to_string(s.n) +
         "x" + std::to_string(s.k);
}

struct Figures {
  double ours[2], theirs[2];  // GFLOP/s on one and two threads
  double peak[2];             // of FMA, measured between the products: clocks drift
  double error;               // largest difference from OpenBLAS, relative to the sum of magnitudes of a result's terms
};

Figures measure(const benchmark::Kernels& kernels, const Shape& s, double seconds) {
  const size_t m = static_cast<size_t>(s.m), n = static_cast<size_t>(s.n), k = static_cast<size_t>(s.k);
  Buffer a(m * k), b(k * n), c(m * n), expected(m * n);
  nnrun_gemm_f32 g = {};
  g.m = s.m;
  g.n = s.n;
  g.k = s.k;
  g.transpose_a = s.transpose_a;
  g.transpose_b = s.transpose_b;
  g.lda = s.transpose_a ? s.m : s.k;
  g.ldb = s.transpose_b ? s.k : s.n;
  g.ldc = s.n;
  nnrun_work work = {};
  const nnrun_kernel& kernel = kernels.choose("gemm_f32", &g);
  kernel.work(&g, &work);
  Buffer workspace(work.workspace / sizeof(float) + 16);
  g.a = a.data();
  g.b = b.data();
  g.c = c.data();

  Figures f = {};
#ifdef NNRUN_HAVE_OPENBLAS
  const auto blas = [&](float* to) {
    cblas_sgemm(101, s.transpose_a ? 112 : 111, s.transpose_b ? 112 : 111, s.m, s.n, s.k, 1.0f, g.a, static_cast<int>(g.lda), g.b,
                static_cast<int>(g.ldb), 0.0f, to, s.n);
  };
  openblas_set_num_threads(1);
  blas(expected.data());
  benchmark::run(kernel, &g, work, workspace.data(), 1);
  for (size_t i = 0; i < m * n; ++i) {
    const double difference = std::fabs(static_cast<double>(c.data()[i]) - static_cast<double>(expected.data()[i]));
    f.error = std::max(f.error, difference / (static_cast<double>(k) * 0.25));  // mean |a b| is 1/4
  }
#endif
  const double flops = 2.0 * s.m * s.n * s.k;
  const int repeats = static_cast<int>(std::max(1.0, 2e-4 * 200e9 / flops));
  for (int t = 0; t < 2; ++t) {
    double best = 1e9, best_theirs = 1e9;
#ifdef NNRUN_HAVE_OPENBLAS
    openblas_set_num_threads(t + 1);
#endif
    const auto begin = benchmark::Clock::now();
    for (int round = 0; round < 5 || benchmark::seconds_since(begin) < seconds; ++round) {
      benchmark::run(kernel, &g, work, workspace.data(), t + 1);
      double start = benchmark::now(t + 1);
      for (int i = 0; i < repeats; ++i) benchmark::run(kernel, &g, work, workspace.data(), t + 1);
      best = std::min(best, (benchmark::now(t + 1) - start) / repeats);
      f.peak[t] = std::max(f.peak[t], kernels.peak(t + 1, 0));
#ifdef NNRUN_HAVE_OPENBLAS
      blas(expected.data());
      start = benchmark::now(t + 1);
      for (int i = 0; i < repeats; ++i) blas(expected.data());
      best_theirs = std::min(best_theirs, (benchmark::now(t + 1) - start) / repeats);
#endif
    }
    f.ours[t] = flops / best * 1e-9;
    f.theirs[t] = best_theirs < 1e9 ? flops / best_theirs * 1e-9 : 0;
  }
  return f;
}

}  // namespace

int main(int argc, char** argv) {
  std::string library = "auto", only;
  bool json = false;
  double seconds = 0.3;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--json")) {
      json = true;
    } else if (!std::strcmp(argv[i], "--seconds") && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else if (!std::strcmp(argv[i], "--only") && i + 1 < argc) {
      only = argv[++i];
    } else {
      library = argv[i];
    }
  }
  const benchmark::Kernels kernels(library);
  const char* core = "none";
#ifdef NNRUN_HAVE_OPENBLAS
  core = openblas_get_corename();
#endif
  const double peaks[2] = {kernels.peak(1, 0.3), kernels.peak(2, 0.3)};
  if (json) {
    std::printf("{\"library\": \"%s\", \"openblas\": \"%s\", \"peak_gflops\": [%.1f, %.1f], \"shapes\": [", kernels.names().c_str(), core,
                peaks[0], peaks[1]);
  } else {
    std::printf("%s against OpenBLAS (%s), GFLOP/s; peak %.0f on one thread, %.0f on two\n", kernels.names().c_str(), core, peaks[0],
                peaks[1]);
    std::printf("%-24s %-18s %8s %8s %6s %6s   %8s %8s %6s %6s   %s\n", "", "", "1T", "OpenBLAS", "ratio", "peak", "2T", "OpenBLAS",
                "ratio", "peak", "error");
  }
  bool begun = false, wrong = false;
  for (const Shape& s : shapes) {
    const std::string name = name_of(s);
    if (!only.empty() && (name + " " + s.what).find(only) == std::string::npos) continue;
    const Figures f = measure(kernels, s, seconds);
    if (f.error > 1e-5) {
      std::fprintf(stderr, "%s: results differ from OpenBLAS's: %g\n", name.c_str(), f.error);
      wrong = true;
    }
    if (json) {
      std::printf(
          "%s\n  {\"what\": \"%s\", \"shape\": \"%s\", \"gflops\": [%.1f, %.1f], \"openblas\": [%.1f, %.1f], \"peak\": [%.1f, %.1f], "
          "\"error\": %.2g}",
          begun ? "," : "", s.what, name.c_str(), f.ours[0], f.ours[1], f.theirs[0], f.theirs[1], f.peak[0], f.peak[1], f.error);
    } else {
      std::printf("%-24s %-18s", s.what, name.c_str());
      for (int t = 0; t < 2; ++t)
        std::printf(" %8.1f %8.1f %6.2f %5.0f%%  ", f.ours[t], f.theirs[t], f.theirs[t] > 0 ? f.ours[t] / f.theirs[t] : 0.0,
                    100 * f.ours[t] / f.peak[t]);
      std::printf(" %.1g\n", f.error);
    }
    std::fflush(stdout);
    begun = true;
  }
  if (json) std::printf("\n]}\n");
  return wrong ? 1 : 0;
}
