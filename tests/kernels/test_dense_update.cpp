#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "harness.hpp"

namespace {

struct Shape {
  int64_t batch, inputs, units, more;  // `more`: rows of x and dy lie so much farther apart
};

constexpr Shape shapes[] = {{1, 1, 1, 0},    {3, 16, 7, 3},    {4, 12, 32, 0},   {7, 13, 127, 0},  {13, 33, 5, 1},  {16, 128, 48, 1024},
                            {17, 25, 65, 0}, {64, 40, 100, 5}, {127, 17, 16, 0}, {16, 15, 129, 2}, {33, 48, 64, 7}, {65, 200, 40, 0}};

double wide(float x) { return static_cast<double>(x); }

nnrun_update update_of(uint32_t rule, uint32_t mix) {
  nnrun_update u = {};
  u.size = sizeof u;
  u.rule = rule;
  u.nesterov = rule == NNRUN_UPDATE_MOMENTUM ? mix & 1 : 0;
  u.rate = rule == NNRUN_UPDATE_ADAM ? 0.001f : 0.03f;
  u.beta1 = 0.9f;
  u.beta2 = 0.999f;
  u.epsilon = 1e-3f;
  u.correction1 = mix & 1 ? 1.0f : 10.0f;
  u.correction2 = mix & 1 ? 1.0f : 1000.0f;
  u.decay = mix & 2 ? 0.01f : 0.0f;
  u.decoupled_decay = mix & 1 ? 0.01f : 0.0f;
  return u;
}

// What becomes of one weight; `terms` is what its gradient is made of, all positive.
void expect_step(Problem& problem, const nnrun_dense_update_f32& a, int64_t at, double weight, double first, double second, double gradient,
                 double terms) {
  const nnrun_update& u = a.update;
  const double rate = wide(u.rate), g = gradient + wide(u.decay) * weight, g_size = terms + wide(u.decay) * std::fabs(weight);
  if (u.rule == NNRUN_UPDATE_SGD) {
    problem.expect(a.weights, at, weight - rate * g, std::fabs(weight) + rate * g_size);
  } else if (u.rule == NNRUN_UPDATE_MOMENTUM) {
    const double beta = wide(u.beta1), v = beta * first + g, v_size = beta * std::fabs(first) + g_size;
    problem.expect(u.states[0], at, v, v_size);
    problem.expect(a.weights, at, weight - rate * (u.nesterov ? g + beta * v : v),
                   std::fabs(weight) + rate * (u.nesterov ? g_size + beta * v_size : v_size));
  } else {
    const double rest1 = 1 - wide(u.beta1), rest2 = 1 - wide(u.beta2);
    const double m = wide(u.beta1) * first + rest1 * g, m_size = wide(u.beta1) * std::fabs(first) + rest1 * g_size;
    // 1 - beta2, in float as the formula has it, is a difference of terms about 1.
    const double v = wide(u.beta2) * second + rest2 * g * g, v_size = v + rest2 * g_size * g_size * 60;
    problem.expect(u.states[0], at, m, m_size);
    problem.expect(u.states[1], at, v, v_size);
    const double scale = rate * wide(u.correction1) / (std::sqrt(v * wide(u.correction2)) + wide(u.epsilon));
    const double kept = weight - rate * wide(u.decoupled_decay) * weight;
    problem.expect(a.weights, at, kept - scale * m, std::fabs(weight) + scale * m_size * v_size / v);
  }
}

void dense_update_problems(const Use& use) {
  for (const Shape& s : shapes) {
    for (uint32_t rule : {NNRUN_UPDATE_SGD, NNRUN_UPDATE_MOMENTUM, NNRUN_UPDATE_ADAM}) {
      for (uint32_t mix = 0; mix < 4; ++mix) {
        Problem problem(std::to_string(s.batch) + "x" + std::to_string(s.inputs) + "x" + std::to_string(s.units) + " rule " +
                            std::to_string(rule) + " mix " + std::to_string(mix),
                        (mix & 1) != 0);
        nnrun_dense_update_f32 a = {};
        a.batch = s.batch;
        a.inputs = s.inputs;
        a.units = s.units;
        a.ldx = s.inputs + s.more;
        a.lddy = s.units + s.more;
        problem.shape(a);
        a.update = update_of(rule, mix);
        Random random(static_cast<uint32_t>(s.batch * 10000 + s.inputs * 100 + s.units));
        const int64_t count = s.inputs * s.units;
        const std::vector<float> weights = random.floats(count), first = random.floats(count);
        std::vector<float> second = random.floats(count);
        for (float& v : second) v = v * v + 1e-3f;
        a.x = problem.input(random.floats((s.batch - 1) * a.ldx + s.inputs));
        a.dy = problem.input(random.floats((s.batch - 1) * a.lddy + s.units));
        a.weights = problem.output(weights);
        a.finite = problem.input(std::vector<uint32_t>{1});
        if (rule != NNRUN_UPDATE_SGD) a.update.states[0] = problem.output(first);
        if (rule == NNRUN_UPDATE_ADAM) a.update.states[1] = problem.output(second);
        problem.arguments(a);
        for (int64_t i = 0; i < s.inputs; ++i) {
          for (int64_t u = 0; u < s.units; ++u) {
            double gradient = 0, terms = 0;
            for (int64_t n = 0; n < s.batch; ++n) {
              const double product = wide(a.x[n * a.ldx + i]) * wide(a.dy[n * a.lddy + u]);
              gradient += product;
              terms += std::fabs(product);
            }
            const size_t at = static_cast<size_t>(i * s.units + u);
            expect_step(problem, a, i * s.units + u, wide(weights[at]), wide(first[at]), wide(second[at]), gradient, terms);
          }
        }
        use(problem);
      }
    }
  }
}

NNRUN_TEST_ROW(dense_update_f32, dense_update_problems)

TEST_CASE("dense_update_f32 says where the gradient is not finite") {
  constexpr int64_t batch = 5, inputs = 30, units = 35;
  for (const Library& library : libraries()) {
    if (!library.missing.empty()) continue;
    const nnrun_kernel* kernel = library.find("dense_update_f32");
    if (!kernel) continue;
    INFO(library.name);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (int64_t where = -1; where < batch * inputs; where += 7) {
        std::vector<float> x(batch * inputs, 1.0f), dy(batch * units, 1.0f), w(inputs * units, 0.0f), v(w);
        if (where >= 0) x[static_cast<size_t>(where)] = bad;
        uint32_t finite = 1;
        nnrun_dense_update_f32 a = {batch,    inputs,    units,    inputs,  units,
                                    x.data(), dy.data(), w.data(), &finite, update_of(NNRUN_UPDATE_MOMENTUM, 0)};
        a.update.states[0] = v.data();
        nnrun_work work = {};
        kernel->work(&a, &work);
        std::vector<float> workspace(work.workspace / sizeof(float) + 1);
        for (int64_t range = 0; range < work.ranges[0]; ++range) kernel->run(&a, workspace.data(), 0, range);
        CHECK(finite == (where < 0 ? 1 : 0));
      }
    }
  }
}

}  // namespace
