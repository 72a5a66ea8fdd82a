// A layer from outside: one file, one CMake line, no rebuild of nnrun. docs/write-a-layer.md walks through it.
#include <nnrun/plugin.hpp>

#include <cmath>

// y = x * sigmoid(beta * x): Ramachandran, Zoph and Le 2017, "Searching for Activation Functions".
struct Swish {
  static constexpr auto name = "swish";
  static constexpr auto doc = "y = x * sigmoid(beta * x)";
  float beta = 1.0f;  // also the documented default

  static constexpr auto params() { return nnrun::schema(nnrun::param<&Swish::beta>("beta", "sharpness of the gate").range(0, 10)); }

  void plan(nnrun::Plan& p) {
    if (p.input().dtype() != NNRUN_F32) throw nnrun::Error("takes f32 numbers: scale the data first");
    p.output(p.input());
    p.backward_needs_input();
  }

  void forward(const nnrun::Run& r) const {
    const float* x = r.x().data();
    float* y = r.y().data();
    r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] * gate(x[i]);
    });
  }

  void backward(const nnrun::Run& r) const {
    if (!r.input_gradient()) return;  // nothing before this layer learns
    const float* x = r.x().data();
    const float* dy = r.dy().data();
    float* dx = r.dx().data();
    r.parallel_elements(r.x().count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float s = gate(x[i]);
        dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
      }
    });
  }

 private:
  float gate(float x) const { return 1 / (1 + std::exp(-beta * x)); }
};

NNRUN_PLUGIN("swish", "1.0.0", Swish)
