// Optimizers and their schedules.
#include "plugin_check/plugin_check_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nnrun::core::checking {

namespace {

constexpr std::size_t optimizer_count = 1000;

class OptimizerBench {
 public:
  OptimizerBench(const ComponentSpec& spec, const nnrun_host* host)
      : instance_(spec, host),
        table_(instance_.vtable<nnrun_optimizer_vtable>()),
        weights_(optimizer_count * sizeof(float)),
        gradients_(optimizer_count * sizeof(float)) {
    nnrun_error error{};
    if (table_.plan(instance_.self(), host, &error) != 0) throw Failure("plan() failed: " + message_of(error, "plan()"));
    for (std::uint32_t i = 0; i < table_.state_count; ++i) {
      require(table_.state_names != nullptr && table_.state_names[i] != nullptr && *table_.state_names[i] != '\0', "a state has no name");
      states_.push_back(std::make_unique<GuardedMemory>(optimizer_count * sizeof(float)));
      std::ranges::fill(states_.back()->floats(), 0.0f);
    }
    fill_away_from_zero(weights_.floats(), 0);
  }

  double rate(std::int64_t step) const {
    nnrun_progress progress{};
    progress.size = sizeof progress;
    progress.step = step;
    progress.steps_per_epoch = 50;
    progress.epoch = step / 50;
    progress.epochs = 10;
    return table_.rate(instance_.self(), &progress);
  }

  // One step of all weights, `slice` at a time.
  bool step(std::int64_t number, std::size_t slice, std::uint32_t flags = NNRUN_WEIGHT_DECAY) {
    const std::vector<float> before = numbers(gradients_);
    bool finite = true;
    for (std::size_t begin = 0; begin < optimizer_count; begin += slice) {
      std::vector<float*> states;
      for (const auto& state : states_) states.push_back(state->floats().data() + begin);
      nnrun_step arguments{};
      arguments.size = sizeof arguments;
      arguments.flags = flags;
      arguments.count = static_cast<std::int64_t>(std::min(slice, optimizer_count - begin));
      arguments.weights = weights_.floats().data() + begin;
      arguments.gradients = gradients_.floats().data() + begin;
      arguments.states = states.data();
      arguments.rate = rate(number);
      arguments.step = number;
      finite = table_.step(instance_.self(), &arguments) == 0 && finite;
    }
    weights_.verify("the weights");
    gradients_.verify("the gradients");
    for (const auto& state : states_) state->verify("a state");
    require(std::memcmp(before.data(), gradients_.data(), gradients_.bytes()) == 0, "step() writes to the gradients");
    return finite;
  }

  // Of half the sum of squares, whose minimum is 0.
  void set_gradients() { std::ranges::copy(weights_.floats(), gradients_.floats().begin()); }
  double height() const {
    double sum = 0;
    for (const float w : weights_.floats()) sum += 0.5 * static_cast<double>(w) * static_cast<double>(w);
    return sum;
  }
  std::span<float> weights() const { return weights_.floats(); }
  std::span<float> gradients() const { return gradients_.floats(); }
  std::vector<std::vector<float>> all() const {
    std::vector<std::vector<float>> list{numbers(weights_)};
    for (const auto& state : states_) list.push_back(numbers(*state));
    return list;
  }

 private:
  static std::vector<float> numbers(const GuardedMemory& memory) { return {memory.floats().begin(), memory.floats().end()}; }

  Instance instance_;
  const nnrun_optimizer_vtable& table_;
  GuardedMemory weights_, gradients_;
  std::vector<std::unique_ptr<GuardedMemory>> states_;
};

std::string check_slices(const ComponentSpec& spec, const Hosts& hosts) {
  const auto run = [&](std::size_t slice) {
    OptimizerBench bench(spec, hosts.one());
    for (std::int64_t step = 0; step < 5; ++step) {
      fill_away_from_zero(bench.gradients(), static_cast<std::uint32_t>(step));
      require(bench.step(step, slice), "step() finds a gradient that is not finite where all are");
    }
    for (const auto& numbers : bench.all()) require_finite(numbers, "a weight or state");
    return bench.all();
  };
  const auto whole = run(optimizer_count);
  for (const std::size_t slice : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{333}}) {
    const auto parts = run(slice);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      require_same_bits(parts[i], whole[i],
                        "in slices of " + std::to_string(slice) + ", " + (i == 0 ? "weights" : "state " + std::to_string(i - 1)));
    }
  }
  return "slices of 1, 7, 64 and 333 give the bits of the whole";
}

std::string check_descent(const ComponentSpec& spec, const Hosts& hosts) {
  OptimizerBench bench(spec, hosts.one());
  const double before = bench.height();
  for (std::int64_t step = 0; step < 200; ++step) {
    bench.set_gradients();
    bench.step(step, optimizer_count, 0);
  }
  require_finite(bench.weights(), "weights");
  const double after = bench.height();
  char text[96];
  std::snprintf(text, sizeof text, "200 steps took half the sum of squares from %.4g to %.4g", before, after);
  require(after < before, std::string(text) + ": it must fall");
  return text;
}

std::string check_not_finite(const ComponentSpec& spec, const Hosts& hosts) {
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{501}, optimizer_count - 1}) {
      OptimizerBench bench(spec, hosts.one());
      bench.set_gradients();
      bench.gradients()[at] = bad;
      require(!bench.step(0, optimizer_count),
              "step() does not tell of the " + std::string(std::isnan(bad) ? "NaN" : "infinity") + " in gradient " + std::to_string(at));
    }
  }
  return "told of, wherever they are";
}

}  // namespace

void check_optimizer(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("rate", [&] {
    const OptimizerBench bench(spec, hosts.one());
    for (std::int64_t step = 0; step < 500; ++step) {
      const double rate = bench.rate(step);
      require(std::isfinite(rate) && rate >= 0, "the learning rate of step " + std::to_string(step) + " is " + std::to_string(rate));
    }
    return std::string("finite");
  });
  report.check("slices", [&] { return check_slices(spec, hosts); });
  report.check("descent", [&] { return check_descent(spec, hosts); });
  report.check("NaN and infinity", [&] { return check_not_finite(spec, hosts); });
}

// ---- Schedules ----------------------------------------------------------------------------------------------

void check_schedule(const ComponentSpec& spec, const Hosts& hosts, Report& report) {
  report.check("factor", [&] {
    const Instance instance(spec, hosts.one());
    const auto& table = instance.vtable<nnrun_schedule_vtable>();
    double least = HUGE_VAL, greatest = -HUGE_VAL;
    for (const auto& [steps, epochs] : {std::pair{1, 1}, std::pair{10, 5}, std::pair{3, 200}}) {
      for (std::int64_t step = 0; step < static_cast<std::int64_t>(steps) * epochs; ++step) {
        nnrun_progress progress{};
        progress.size = sizeof progress;
        progress.step = step;
        progress.steps_per_epoch = steps;
        progress.epoch = step / steps;
        progress.epochs = epochs;
        const double factor = table.factor(instance.self(), &progress);
        const std::string where = " at step " + std::to_string(step) + " of " + std::to_string(steps * epochs);
        require(std::isfinite(factor) && factor >= 0, "is " + std::to_string(factor) + where);
        require(factor == table.factor(instance.self(), &progress), "differs when asked twice" + where);
        least = std::min(least, factor);
        greatest = std::max(greatest, factor);
      }
    }
    char text[64];
    std::snprintf(text, sizeof text, "between %.3g and %.3g", least, greatest);
    return std::string(text);
  });
}

}  // namespace nnrun::core::checking
