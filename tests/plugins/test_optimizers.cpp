// Optimizers and schedules.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "fake_host.hpp"

using fake::Component;

namespace {

double factor(const Component& schedule, std::int64_t step, std::int64_t steps_per_epoch = 10, std::int64_t epochs = 10) {
  const nnrun_progress progress{sizeof(nnrun_progress), 0, step, step / steps_per_epoch, steps_per_epoch, epochs};
  return schedule.vtable<nnrun_schedule_vtable>().factor(schedule.self(), &progress);
}

}  // namespace

TEST_CASE("optimizers follow their formulas") {
  struct Case {
    const char* name;
    fake::Settings settings;
    bool decays;
  };
  for (const Case& c :
       {Case{"sgd", {{"learning_rate", 0.1}}, true}, Case{"sgd", {{"learning_rate", 0.1}, {"weight_decay", 0.01}}, true},
        Case{"momentum", {{"beta", 0.8}, {"weight_decay", 0.01}}, false}, Case{"momentum", {{"nesterov", 1.0}}, true},
        Case{"adam", {}, true}, Case{"adam", {{"beta1", 0.8}, {"beta2", 0.99}, {"weight_decay", 0.1}, {"epsilon", 1e-3}}, true},
        Case{"sgd", {{"weight_decay", 0.1}}, false}, Case{"sgd", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false},
        Case{"momentum", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false},
        Case{"adam", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false}, Case{"adamw", {{"weight_decay", 0.1}}, true},
        Case{"adamw", {{"weight_decay", 0.1}}, false}, Case{"adamw", {{"weight_decay", 0.1}, {"decay_all", 1.0}}, false}}) {
    INFO(c.name);
    const std::string name = c.name;
    const Component optimizer("optimizer", c.name, c.settings);
    const auto& table = optimizer.vtable<nnrun_optimizer_vtable>();
    const auto setting = [&](const char* key, double otherwise) {
      const auto found = c.settings.find(key);
      return found == c.settings.end() ? otherwise : std::get<double>(found->second);
    };
    fake::must([&](nnrun_error* e) { return table.plan(optimizer.self(), &fake::host(), e); });
    constexpr std::size_t count = 37;
    std::vector<float> weights(count), gradients(count), m(count), v(count);
    fake::fill(weights, 1);
    std::vector<double> w(weights.begin(), weights.end()), first(count), second(count);
    float* states[] = {m.data(), v.data()};
    for (std::int64_t step = 0; step < 5; ++step) {
      fake::fill(gradients, static_cast<std::uint32_t>(10 + step));
      const nnrun_progress progress{sizeof(nnrun_progress), 0, step, 0, 10, 1};
      nnrun_step s{};
      s.size = sizeof s;
      s.flags = c.decays ? NNRUN_WEIGHT_DECAY : 0;
      s.count = count;
      s.weights = weights.data();
      s.gradients = gradients.data();
      s.states = states;
      s.rate = table.rate(optimizer.self(), &progress);
      s.step = step;
      CHECK(s.rate == Approx(setting("learning_rate", name.starts_with("adam") ? 0.001 : 0.01)));
      REQUIRE(table.step(optimizer.self(), &s) == 0);
      const auto t = static_cast<double>(step + 1);
      for (std::size_t i = 0; i < count; ++i) {
        const double decay = c.decays || setting("decay_all", 0) != 0 ? setting("weight_decay", 0) : 0;
        const double g = static_cast<double>(gradients[i]) + (name == "adamw" ? 0 : decay * w[i]);
        if (name == "adamw") w[i] -= s.rate * decay * w[i];
        if (name == "sgd") {
          w[i] -= s.rate * g;
        } else if (name == "momentum") {
          const double beta = setting("beta", 0.9);
          first[i] = beta * first[i] + g;
          w[i] -= s.rate * (setting("nesterov", 0) != 0 ? g + beta * first[i] : first[i]);
        } else {
          const double beta1 = setting("beta1", 0.9), beta2 = setting("beta2", 0.999);
          first[i] = beta1 * first[i] + (1 - beta1) * g;
          second[i] = beta2 * second[i] + (1 - beta2) * g * g;
          w[i] -= s.rate * (first[i] / (1 - std::pow(beta1, t))) /
                  (std::sqrt(second[i] / (1 - std::pow(beta2, t))) + setting("epsilon", name == "adam" ? 1e-7 : 1e-8));
        }
        CHECK(weights[i] == Approx(w[i]).epsilon(1e-5).margin(1e-6));
      }
    }
    gradients[5] = std::numeric_limits<float>::infinity();
    nnrun_step s{};
    s.size = sizeof s;
    s.count = count;
    s.weights = weights.data();
    s.gradients = gradients.data();
    s.states = states;
    s.rate = 0.1;
    CHECK(table.step(optimizer.self(), &s) == 1);
  }
}

TEST_CASE("an optimizer's rate follows its schedule") {
  const Component sgd(
      "optimizer", "sgd",
      {{"learning_rate", 0.005}, {"schedule", std::make_shared<Component>("schedule", "exponential", fake::Settings{{"factor", 0.97}})}});
  const nnrun_progress progress{sizeof(nnrun_progress), 0, 33, 3, 10, 10};
  CHECK(sgd.vtable<nnrun_optimizer_vtable>().rate(sgd.self(), &progress) == Approx(0.005 * 0.97 * 0.97 * 0.97).epsilon(1e-14));
}

TEST_CASE("schedules") {
  CHECK(factor(Component("schedule", "constant"), 77) == 1.0);

  const Component by_epoch("schedule", "exponential", {{"factor", 0.5}});
  CHECK(factor(by_epoch, 9) == 1.0);
  CHECK(factor(by_epoch, 10) == 0.5);
  CHECK(factor(by_epoch, 39) == 0.125);
  CHECK(factor(Component("schedule", "exponential", {{"factor", 0.5}, {"per", std::string("step")}}), 3) == 0.125);

  const Component steps("schedule", "step", {{"every", 3.0}, {"factor", 0.1}});
  CHECK(factor(steps, 29) == 1.0);
  CHECK(factor(steps, 30) == Approx(0.1));
  CHECK(factor(steps, 60) == Approx(0.01));

  const Component cosine("schedule", "cosine", {{"final", 0.2}});
  CHECK(factor(cosine, 0) == 1.0);
  CHECK(factor(cosine, 50) == Approx(0.6));
  CHECK(factor(cosine, 25) == Approx(0.2 + 0.8 * 0.5 * (1 + std::cos(std::numbers::pi / 4))));
  CHECK(factor(cosine, 100) == Approx(0.2));
  CHECK(factor(cosine, 200) == Approx(0.2));

  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=100): 29 is the peak, 99 the last.
  const Component cycle("schedule", "one_cycle");
  CHECK(factor(cycle, 0) == Approx(0.04));
  CHECK(factor(cycle, 29) == 1.0);
  CHECK(factor(cycle, 10) == Approx(1 + (0.04 - 1) / 2 * (1 + std::cos(std::numbers::pi * 10 / 29))));
  CHECK(factor(cycle, 64) == Approx(0.5 * (1 + 0.0001)));
  CHECK(factor(cycle, 99) == Approx(0.0001));
  CHECK(factor(cycle, 150) == Approx(0.0001));
  const Component warm("schedule", "warm_up", {{"steps", 4.0}, {"then", std::make_shared<Component>("schedule", "cosine")}});
  for (const std::int64_t step : {0, 1, 2, 3, 4, 50, 99}) {
    CHECK(factor(warm, step) == Approx(std::min(1.0, static_cast<double>(step + 1) / 4) * factor(Component("schedule", "cosine"), step)));
  }
  const Component by_epochs("schedule", "warm_up", {{"epochs", 0.5}, {"start", 0.2}});
  CHECK(factor(by_epochs, 0) == Approx(0.2 + 0.8 / 5));
  CHECK(factor(by_epochs, 4) == 1.0);
  const Component by_share("schedule", "warm_up", {{"share", 0.1}});
  CHECK(factor(by_share, 4) == Approx(0.5));
  CHECK(factor(by_share, 9) == 1.0);
  CHECK(factor(Component("schedule", "warm_up"), 1) == Approx(0.4));  // a twentieth of 100 steps
  CHECK(fake::failure_of([] {
          Component("schedule", "warm_up", {{"steps", 4.0}, {"share", 0.1}});
        }) == "has several lengths: give one of `steps`, `epochs` and `share`");

  const Component no_warm_up("schedule", "one_cycle", {{"warm_up", 0.0}});
  CHECK(factor(no_warm_up, 99) == Approx(0.0001));
  CHECK(std::isfinite(factor(cycle, 0, 1, 1)));
}
