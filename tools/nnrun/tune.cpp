// Which kernels are the quickest here, layer by layer, measured in training steps; written down as a config.
//
// One net for each way to choose: all layers take the same alternative of the same request at once, and are timed on their own. Then the
// whole step decides whether that was worth it.
#include "commands.hpp"
#include "steps.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <memory>

namespace nnrun::tool {

namespace {

using Clock = std::chrono::steady_clock;
using Choices = std::vector<core::NamedText>;

constexpr double worthwhile = 0.97;  // of the time before
constexpr int steps_a_turn = 3;
constexpr std::size_t least_turns = 8;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

core::NamedText choice_of(const std::string& request, const std::string& way) {
  core::NamedText choice;
  choice.name = request;
  choice.text = way;
  return choice;
}

// A net with some choices, whose steps are timed.
class Candidate {
 public:
  Candidate(const Options& options, core::Data& data, const Choices& choices)
      : environment_(core::load_config(options.subject, options.words), with(options, choices)), steps_(environment_, data) {
    seconds_.resize(layers().size());
  }

  const std::vector<core::PlannedLayer>& layers() { return steps_.network().plan().layers; }

  void take_turn() {
    core::LayerTimes times;
    steps_.network().measure(&times);
    constexpr double never = std::numeric_limits<double>::infinity();
    std::vector<double> quickest(seconds_.size(), never);
    double quickest_step = never;
    for (int i = 0; i < steps_a_turn; ++i) {
      times.forward.assign(seconds_.size(), 0);
      times.backward.assign(seconds_.size(), 0);
      const auto start = Clock::now();
      steps_.next();
      quickest_step = std::min(quickest_step, seconds_since(start));
      for (std::size_t k = 0; k < seconds_.size(); ++k) quickest[k] = std::min(quickest[k], times.forward[k] + times.backward[k]);
    }
    steps_.network().measure(nullptr);
    step_seconds_.push_back(quickest_step);
    for (std::size_t k = 0; k < seconds_.size(); ++k) seconds_[k].push_back(quickest[k]);
  }

  std::size_t turns() const { return step_seconds_.size(); }
  const std::vector<double>& layer_seconds(std::size_t layer) const { return seconds_[layer]; }
  const std::vector<double>& step_seconds() const { return step_seconds_; }

 private:
  static core::EnvironmentOptions with(const Options& options, const Choices& choices) {
    core::EnvironmentOptions result = environment_options(options);
    result.kernels = choices;
    return result;
  }

  core::Environment environment_;
  Steps steps_;
  std::vector<std::vector<double>> seconds_;  // of each layer, each turn: of its quickest step
  std::vector<double> step_seconds_;          // of each turn
};

// In turns, so that whatever disturbs the machine disturbs both.
void compare(Candidate& a, Candidate& b, double budget) {
  a.take_turn();  // its first steps fill caches and start threads
  b.take_turn();
  const auto start = Clock::now();
  while (a.turns() <= least_turns || seconds_since(start) < budget) {
    a.take_turn();
    b.take_turn();
  }
}

// What share of the time `before` it takes at most in three of four turns: one that is quicker by chance is not so as often.
double share_of(const std::vector<double>& seconds, const std::vector<double>& before) {
  std::vector<double> shares;
  for (std::size_t turn = 1; turn < seconds.size(); ++turn) shares.push_back(seconds[turn] / std::max(before[turn], 1e-9));
  const auto upper_quartile = shares.begin() + std::ssize(shares) * 3 / 4;
  std::nth_element(shares.begin(), upper_quartile, shares.end());
  return *upper_quartile;
}

struct Best {
  std::string way;
  double share = worthwhile;  // of the layer's time as it was
};

// The quickest of each request, where that is quicker than what the rules choose.
std::map<std::string, Best> find_quickest(const Options& options, core::Data& data, const core::Environment& environment) {
  Candidate plain(options, data, {});
  std::size_t requests = 0, alternatives = 0;
  for (const core::PlannedLayer& layer : plain.layers()) {
    requests = std::max(requests, layer.choices.size());
    for (const core::PlannedKernel& planned : layer.choices) alternatives = std::max(alternatives, planned.choice.others.size());
  }
  std::map<std::string, Best> quickest;
  for (std::size_t request = 0; request < requests; ++request) {
    for (std::size_t alternative = 0; alternative < alternatives; ++alternative) {
      Choices choices;
      std::vector<std::size_t> concerned;
      for (std::size_t i = 0; i < plain.layers().size(); ++i) {
        const auto& asked = plain.layers()[i].choices;
        if (request >= asked.size() || alternative >= asked[request].choice.others.size()) continue;
        choices.push_back(choice_of(asked[request].request, environment.dispatch().way(asked[request].choice.others[alternative])));
        concerned.push_back(i);
      }
      if (choices.empty()) continue;
      Candidate before(options, data, {}), other(options, data, choices);
      compare(before, other, options.seconds);
      for (std::size_t k = 0; k < concerned.size(); ++k) {
        const double share = share_of(other.layer_seconds(concerned[k]), before.layer_seconds(concerned[k]));
        std::printf("%s: with %s its layer takes %.2f of the time with %s\n", choices[k].name.c_str(), choices[k].text.c_str(), share,
                    environment.dispatch().way(plain.layers()[concerned[k]].choices[request].choice.kernel).c_str());
        Best& best = quickest[choices[k].name];
        if (share < best.share) best = {choices[k].text, share};
      }
      std::fflush(stdout);
    }
  }
  std::erase_if(quickest, [](const auto& entry) { return entry.second.way.empty(); });
  return quickest;
}

std::string in_quotes(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) result += (c == '"' || c == '\\' ? std::string("\\") : std::string()) + c;
  return result + "\"";
}

void write(const Options& options, const Choices& choices, const std::string& machine) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::absolute(options.tune).parent_path();
  const fs::path base = fs::absolute(options.subject).lexically_relative(folder);
  std::ofstream file(options.tune);
  file << "# What nnrun bench --tune found quicker than the kernels that it takes without.   Run: nnrun " << options.tune
       << "\nextends: " << in_quotes(base.string()) << "\nrun:\n  tuned_on: " << in_quotes(machine) << "\n  kernels:\n    default: auto\n";
  for (const core::NamedText& choice : choices) file << "    " << in_quotes(choice.name) << ": " << in_quotes(choice.text) << "\n";
  file.close();
  if (!file) throw core::RunError("cannot write " + options.tune);
}

}  // namespace

int tune(const Options& options) {
  if (!options.words.empty() || options.json || !options.subject.ends_with(".yaml")) {
    throw core::DiagnosticError({}, "--tune takes a config and nothing beside it: what it finds is for the shapes that the config has");
  }
  const core::Environment environment(core::load_config(options.subject, {}), environment_options(options));
  const core::KernelSettings& kernels = environment.settings().run.kernels;
  if (kernels.default_table != core::Dispatch::automatic || !kernels.tables.empty()) {
    throw core::DiagnosticError(kernels.where, "run.kernels leaves nothing to --tune: take it out");
  }
  core::Data data(environment.settings(), environment.host(), core::find_data_root(options.data));
  Choices choices;
  for (const auto& [request, best] : find_quickest(options, data, environment)) choices.push_back(choice_of(request, best.way));
  if (!choices.empty()) {
    Candidate plain(options, data, {}), tuned(options, data, choices);
    compare(plain, tuned, 2 * options.seconds);
    const double share = share_of(tuned.step_seconds(), plain.step_seconds());
    std::printf("a step with these %zu takes %.3f of the time without\n", choices.size(), share);
    if (share >= 1) choices.clear();
  }
  write(options, choices, environment.dispatch().machine());
  std::cout << options.tune << ": " << choices.size() << (choices.size() == 1 ? " choice" : " choices")
            << (choices.empty() ? "; what runs without is the quickest" : "") << "\n";
  return 0;
}

}  // namespace nnrun::tool
