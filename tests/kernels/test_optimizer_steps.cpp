#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "harness.hpp"

namespace {

constexpr int64_t counts[] = {1, 7, 13, 16, 17, 64, 127, 128, 1000};

double wide(float x) { return static_cast<double>(x); }

void sgd_problems(const Use& use) {
  for (int64_t count : counts) {
    for (float decay : {0.0f, 0.01f}) {
      Problem problem(std::to_string(count) + " decay " + std::to_string(decay), decay > 0);
      nnrun_sgd_f32 a = {};
      a.count = count;
      a.rate = 0.03f;
      a.decay = decay;
      problem.shape(a);
      Random random(static_cast<uint32_t>(count));
      const std::vector<float> w = random.floats(count);
      a.w = problem.output(w);
      a.g = problem.input(random.floats(count));
      a.finite = problem.input(std::vector<uint32_t>{1});
      problem.arguments(a);
      for (int64_t i = 0; i < count; ++i) {
        const double weight = wide(w[static_cast<size_t>(i)]), g = wide(a.g[i]), d = wide(decay) * weight, rate = wide(a.rate);
        problem.expect(a.w, i, weight - rate * (g + d), std::fabs(weight) + rate * (std::fabs(g) + std::fabs(d)));
      }
      use(problem);
    }
  }
}

void momentum_problems(const Use& use) {
  for (int64_t count : counts) {
    for (uint32_t mix = 0; mix < 4; ++mix) {
      Problem problem(std::to_string(count) + " mix " + std::to_string(mix), (mix & 1) != 0);
      nnrun_momentum_f32 a = {};
      a.count = count;
      a.rate = 0.03f;
      a.beta = 0.9f;
      a.decay = mix & 1 ? 0.01f : 0.0f;
      a.nesterov = mix & 2 ? 1 : 0;
      problem.shape(a);
      Random random(static_cast<uint32_t>(count));
      const std::vector<float> w = random.floats(count), v = random.floats(count);
      a.w = problem.output(w);
      a.v = problem.output(v);
      a.g = problem.input(random.floats(count));
      a.finite = problem.input(std::vector<uint32_t>{1});
      problem.arguments(a);
      const double rate = wide(a.rate), beta = wide(a.beta), decay = wide(a.decay);
      for (int64_t i = 0; i < count; ++i) {
        const double weight = wide(w[static_cast<size_t>(i)]), old = wide(v[static_cast<size_t>(i)]);
        const double g = wide(a.g[i]) + decay * weight, g_size = std::fabs(wide(a.g[i])) + decay * std::fabs(weight);
        const double moved = beta * old + g, moved_size = beta * std::fabs(old) + g_size;
        problem.expect(a.v, i, moved, moved_size);
        problem.expect(a.w, i, weight - rate * (a.nesterov ? g + beta * moved : moved),
                       std::fabs(weight) + rate * (a.nesterov ? g_size + beta * moved_size : moved_size));
      }
      use(problem);
    }
  }
}

// Gradients of all sizes: ordinary, zero (with v = 0 too), so small that v underflows (and becomes 0), and large.
void adam_problems(const Use& use) {
  for (int64_t count : counts) {
    for (uint32_t mix = 0; mix < 8; ++mix) {
      Problem problem(std::to_string(count) + " mix " + std::to_string(mix), (mix & 1) != 0);
      nnrun_adam_f32 a = {};
      a.count = count;
      a.rate = 0.001f;
      a.beta1 = 0.9f;
      a.beta2 = 0.999f;
      a.epsilon = mix & 4 ? 1e-3f : 1e-8f;
      a.correction1 = mix & 4 ? 1.0f : 10.0f;
      a.correction2 = mix & 4 ? 1.0f : 1000.0f;
      a.decay = mix & 1 ? 0.01f : 0.0f;
      a.decoupled_decay = mix & 2 ? 0.01f : 0.0f;
      problem.shape(a);
      Random random(static_cast<uint32_t>(count));
      std::vector<float> w = random.floats(count), m = random.floats(count), v = random.floats(count), g = random.floats(count);
      for (size_t i = 0; i < v.size(); ++i) {
        const float sizes[] = {1, 1e-3f, 0, 1e-12f, 1e-20f, 1e6f, 1e15f};
        const float size = sizes[i % 7];
        if (size == 0) w[i] = 0;  // or weight decay would make a gradient
        m[i] *= size;
        v[i] *= v[i] * size * size;
        g[i] *= size;
      }
      a.w = problem.output(w);
      a.m = problem.output(m);
      a.v = problem.output(v);
      a.g = problem.input(g);
      a.finite = problem.input(std::vector<uint32_t>{1});
      problem.arguments(a);
      for (size_t i = 0; i < v.size(); ++i) {
        const int64_t at = static_cast<int64_t>(i);
        const double weight = wide(w[i]), rest1 = 1 - wide(a.beta1), rest2 = 1 - wide(a.beta2);
        const double gradient = wide(g[i]) + wide(a.decay) * weight;
        const double g_size = std::fabs(wide(g[i])) + wide(a.decay) * std::fabs(weight);
        const double mean = wide(a.beta1) * wide(m[i]) + rest1 * gradient;
        const double mean_size = wide(a.beta1) * std::fabs(wide(m[i])) + rest1 * g_size;
        const double unflushed = wide(a.beta2) * wide(v[i]) + rest2 * gradient * gradient;
        const double square = unflushed < 0x1p-126 ? 0 : unflushed;
        // 1 - beta2, in float as the formula has it, is a difference of terms about 1.
        const double square_size = square + rest2 * g_size * g_size * 60;
        problem.expect(a.m, at, mean, mean_size);
        problem.expect(a.v, at, square, square_size);
        // Where squares underflow, v has few digits or none, and sqrt(v) takes part with epsilon.
        const double scale = wide(a.rate) * wide(a.correction1) / (std::sqrt(square * wide(a.correction2)) + wide(a.epsilon));
        const double v_error = square > 0 ? std::min(1.0, 1e-44 / square) * 1e6 + square_size / square : 1;
        const double kept = weight - wide(a.rate) * wide(a.decoupled_decay) * weight;
        problem.expect(a.w, at, kept - scale * mean, std::fabs(weight) + scale * mean_size * v_error);
      }
      use(problem);
    }
  }
}

NNRUN_TEST_ROW(sgd_f32, sgd_problems)
NNRUN_TEST_ROW(momentum_f32, momentum_problems)
NNRUN_TEST_ROW(adam_f32, adam_problems)

// What has decayed below the least normal number becomes 0, and stays out of the way of what has not.
void check_flushing(const Library& library, const std::string& name) {
  const nnrun_kernel* kernel = library.find(name);
  if (!kernel) return;
  for (int64_t count : {1, 13, 64}) {
    const size_t size = static_cast<size_t>(count);
    const std::vector<float> g(size, 0.0f);
    std::vector<float> w(size, 0.5f), m(size, 1.2e-38f), v(size, 1.2e-38f);
    const float kept = 1e-30f;
    m[0] = v[0] = kept;
    uint32_t finite = 1;
    if (name == "momentum_f32") {
      nnrun_momentum_f32 a = {count, w.data(), v.data(), g.data(), 0.1f, 0.9f, 0, 0, &finite};
      kernel->run(&a, nullptr, 0, 0);
    } else {
      nnrun_adam_f32 a = {count, w.data(), m.data(), v.data(), g.data(), 0.1f, 0.9f, 0.9f, 1e-7f, 1, 1, 0, 0, &finite};
      kernel->run(&a, nullptr, 0, 0);
      CHECK(m[0] == 0.9f * kept);
      for (size_t i = 1; i < size; ++i) CHECK(m[i] == 0.0f);
    }
    CHECK(v[0] == 0.9f * kept);
    for (size_t i = 1; i < size; ++i) CHECK(v[i] == 0.0f);
  }
}

// One step over `g`; returns what `finite` is after it.
uint32_t finite_after(const Library& library, const std::string& name, std::vector<float> g, uint32_t before) {
  const nnrun_kernel* kernel = library.find(name);
  std::vector<float> w(g.size(), 0.5f), m(g.size(), 0.0f), v(g.size(), 0.0f);
  uint32_t finite = before;
  const int64_t count = static_cast<int64_t>(g.size());
  if (name == "sgd_f32") {
    nnrun_sgd_f32 a = {count, w.data(), g.data(), 0.1f, 0, &finite};
    kernel->run(&a, nullptr, 0, 0);
  } else if (name == "momentum_f32") {
    nnrun_momentum_f32 a = {count, w.data(), v.data(), g.data(), 0.1f, 0.9f, 0, 0, &finite};
    kernel->run(&a, nullptr, 0, 0);
  } else {
    nnrun_adam_f32 a = {count, w.data(), m.data(), v.data(), g.data(), 0.1f, 0.9f, 0.999f, 1e-8f, 10, 1000, 0, 0, &finite};
    kernel->run(&a, nullptr, 0, 0);
  }
  return finite;
}

TEST_CASE("optimizer steps notice gradients that are not finite") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Library& library : libraries()) {
    if (!library.missing.empty()) continue;
    for (const char* name : {"sgd_f32", "momentum_f32", "adam_f32"}) {
      if (!library.find(name)) continue;
      for (size_t count : {1u, 7u, 16u, 35u, 100u}) {
        for (size_t at = 0; at < count; ++at) {
          std::vector<float> g(count, 1.5f);
          for (float bad : {infinity, -infinity, std::nanf(""), -std::nanf("")}) {
            g[at] = bad;
            INFO(library.name << " " << name << " " << count << " " << at << " " << bad);
            if (finite_after(library, name, g, 1) != 0) FAIL_CHECK("not noticed");
          }
          for (float good : {std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 0.0f, 1e-45f}) {
            g[at] = good;
            INFO(library.name << " " << name << " " << count << " " << at << " " << good);
            if (finite_after(library, name, g, 1) != 1) FAIL_CHECK("taken for infinite");
            if (finite_after(library, name, g, 0) != 0) FAIL_CHECK("forgot what earlier slices said");
          }
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("optimizer states that have decayed to denormal numbers become 0") {
  for (const Library& library : libraries()) {
    if (!library.missing.empty()) continue;
    for (const char* name : {"momentum_f32", "adam_f32"}) {
      INFO(library.name << " " << name);
      check_flushing(library, name);
    }
  }
}

TEST_CASE("Adam's step is accurate where the weight does not hide it") {
  // From w = 0 the weight becomes the update itself: its relative error is seen in full.
  for (const Library& library : libraries()) {
    const nnrun_kernel* kernel = library.missing.empty() ? library.find("adam_f32") : nullptr;
    if (!kernel) continue;
    for (int exponent = -18; exponent <= 15; ++exponent) {
      Random random(static_cast<uint32_t>(exponent + 100));
      const int64_t count = 131;
      std::vector<float> w(count, 0.0f), m(count, 0.0f), v(count, 0.0f), g = random.floats(count);
      for (float& x : g) x *= std::pow(10.0f, static_cast<float>(exponent));
      uint32_t finite = 1;
      nnrun_adam_f32 a = {count, w.data(), m.data(), v.data(), g.data(), 0.001f, 0.9f, 0.999f, 1e-8f, 10, 1000, 0, 0, &finite};
      kernel->run(&a, nullptr, 0, 0);
      for (size_t i = 0; i < w.size(); ++i) {
        const double wanted = -wide(a.rate) * (wide(m[i]) * 10) / (std::sqrt(wide(v[i]) * 1000) + wide(a.epsilon));
        const double error = std::fabs(wide(w[i]) - wanted) / std::fabs(wanted);
        INFO(library.name << " exponent " << exponent << " gradient " << g[i] << " got " << w[i] << " expected " << wanted);
        if (!(error < 1e-6)) FAIL_CHECK("relative error " << error);
      }
    }
  }
  SUCCEED();
}

}  // namespace
