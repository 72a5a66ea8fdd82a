// Throws what it is told, where it is told.
#include <nnrun/plugin.hpp>

#include <algorithm>

struct Thrower {
  static constexpr auto name = "thrower";
  static constexpr auto doc = "y = x, if it comes to that";
  std::string place = "nowhere";
  std::string what = "error";

  static constexpr const char* const places[] = {"nowhere", "create", "plan", "forward", "parallel", "backward", nullptr};
  static constexpr const char* const whats[] = {"error", "standard", "integer", nullptr};
  static constexpr auto params() {
    return nnrun::schema(nnrun::param<&Thrower::place>("place", "where").choices(places),
                         nnrun::param<&Thrower::what>("what", "which exception").choices(whats));
  }

  void create(const nnrun::Host&) const { reach("create"); }
  void plan(nnrun::Plan& p) const {
    reach("plan");
    p.output(p.input());
  }
  void forward(const nnrun::Run& r) const {
    reach("forward");
    r.parallel(8, [&](std::int64_t range) {
      if (range == 5) reach("parallel");
    });
    std::copy_n(r.x().data(), r.x().count(), r.y().data());
  }
  void backward(const nnrun::Run& r) const {
    reach("backward");
    if (r.input_gradient()) std::copy_n(r.dy().data(), r.dy().count(), r.dx().data());
  }

 private:
  void reach(const char* here) const {
    if (place != here) return;
    if (what == "standard") throw std::runtime_error("a std::runtime_error out of " + place);
    if (what == "integer") throw 7;
    nnrun::Error error("an nnrun::Error out of " + place);
    error.at("place");
    throw error;
  }
};

NNRUN_PLUGIN("thrower", "1.0.0", Thrower)
