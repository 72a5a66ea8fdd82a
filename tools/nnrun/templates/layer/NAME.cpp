// y = x * sigmoid(beta * x): Ramachandran, Zoph and Le 2017, "Searching for Activation Functions". Make it yours.
#include <nnrun/plugin.hpp>

#include <cmath>

struct @CLASS@ {
  static constexpr auto name = "@NAME@";  // as configs write it
  static constexpr auto doc = "y = x * sigmoid(beta * x)";

  float beta = 1.0f;  // also the documented default

  static constexpr auto params() {
    return nnrun::schema(nnrun::param<&@CLASS@::beta>("beta", "sharpness of the gate").range(0, 10));
  }

  // Once, before anything runs: shapes, weights and memory, no numbers yet. What is thrown here reaches the user as an error
  // at this layer's place in the config.
  void plan(nnrun::Plan& p) {
    if (p.input().dtype() != NNRUN_F32) throw nnrun::Error("takes f32 numbers: scale the data first");
    p.output(p.input());       // y has the shape of x
    p.backward_needs_input();  // without this the host may use x's memory for something else before backward()
    const auto count = static_cast<double>(p.input().count());
    p.cost(6 * count, 10 * count);  // floating-point operations, for nnrun plan and nnrun bench
  }

  void forward(const nnrun::Run& r) const {
    const float* x = r.x().data();
    float* y = r.y().data();
    // Blocks of elements, on several threads. They are cut by the count alone: the same bits on any machine.
    r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] * sigmoid(beta * x[i]);
    });
  }

  // dy/dx = s + beta x s (1 - s), with s = sigmoid(beta x)
  void backward(const nnrun::Run& r) const {
    if (!r.input_gradient()) return;  // nothing before this layer learns
    const float* x = r.x().data();
    const float* dy = r.dy().data();
    float* dx = r.dx().data();
    r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float s = sigmoid(beta * x[i]);
        dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
      }
    });
  }

 private:
  static float sigmoid(float t) { return 1 / (1 + std::exp(-t)); }
};

NNRUN_PLUGIN("@NAME@", "0.1.0", @CLASS@)
