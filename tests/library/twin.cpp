// The same layer in two plugins.
#include <nnrun/plugin.hpp>

#include <algorithm>

struct Twin {
  static constexpr auto name = "twin";
  static constexpr auto doc = "y = x";
  void plan(nnrun::Plan& p) { p.output(p.input()); }
  void forward(const nnrun::Run& r) const { std::copy_n(r.x().data(), r.x().count(), r.y().data()); }
  void backward(const nnrun::Run& r) const {
    if (r.input_gradient()) std::copy_n(r.dy().data(), r.dy().count(), r.dx().data());
  }
};

NNRUN_PLUGIN(TEST_NAME, "1.0.0", Twin)
