// What the checks of all kinds of components share; see plugin_check.hpp.
#pragma once

#include "config/schema.hpp"
#include "plugin_check/plugin_check.hpp"
#include "plugins/dispatch.hpp"
#include "plugins/host.hpp"
#include "plugins/instance.hpp"

#include <nnrun/plugin.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace nnrun::core::checking {

// A check that did not hold.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// A check that has nothing to work on.
class NotChecked : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& message) {
  if (!holds) throw Failure(message);
}

// Collects the results of one component.
class Report {
 public:
  Report(std::string component, const CheckOptions& options) : component_(std::move(component)), options_(options) {}

  // `body` throws Failure or NotChecked, or returns what was seen. True where it was ok.
  bool check(const std::string& name, const std::function<std::string()>& body);
  std::vector<CheckResult> take() { return std::move(results_); }

 private:
  std::string component_;
  const CheckOptions& options_;
  std::vector<CheckResult> results_;
};

// Bytes with guards before and behind them. Guards and poison are all ones, which reads as NaN in f32 and bf16: what comes from
// there shows in a result.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes);

  void* data() const { return start_; }
  std::size_t bytes() const { return bytes_; }
  std::span<float> floats() const { return {static_cast<float*>(data()), bytes_ / sizeof(float)}; }
  void poison() const { poison_from(0); }
  void poison_from(std::size_t byte) const;
  // Fills everything from there on with another pattern than the poison's, which a computed NaN could not be told from.
  void mark_from(std::size_t byte) const;
  // Throws Failure where a guard was written to.
  void verify(const std::string& what) const;
  // Throws Failure where a marked byte has changed.
  void verify_marked_from(std::size_t byte, const std::string& what) const;
  std::vector<std::byte> copy() const { return {start_, start_ + bytes_}; }
  void restore(const std::vector<std::byte>& copy) const;
  bool equals(const std::vector<std::byte>& copy) const;

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::size_t bytes_;
  std::unique_ptr<std::byte, Free> memory_;
  std::byte* start_;
};

// The values of a spec with everything chosen; see CheckOptions::params. Throws Failure with what the config would complain of.
ComponentSpec make_spec(const nnrun_component& component, const Registry& registry, const std::string& params);

// Hosts to run on: several numbers of threads, and one that goes through ranges backwards.
class Hosts {
 public:
  explicit Hosts(const Registry& registry);

  const nnrun_host* one() const { return hosts_[0]->c(); }
  // With what to call each in a message, eg: "2 threads".
  std::vector<std::pair<std::string, const nnrun_host*>> all() const;

 private:
  struct Backwards {
    nnrun_host host;  // first, so that a callback's nnrun_host* leads back here
    const Dispatch* dispatch;
  };
  Dispatch dispatch_;
  std::vector<std::unique_ptr<HostServices>> hosts_;
  Backwards backwards_;
};

// Uniform numbers with 0.1 <= |number| <= 1, far from the kink that many functions have at 0. The same for the same `which`.
void fill_away_from_zero(std::span<float> numbers, std::uint32_t which);

// The same, and numbers whose indices differ by no multiple of 29 are more than 2^-5 apart, such as those in a pool's window: two
// that move by 2^-6 each do not change their order, which is the kink of a maximum.
void fill_apart(std::span<float> numbers, std::uint32_t which);

void require_finite(std::span<const float> numbers, const std::string& what);
void require_same_bits(std::span<const float> got, std::span<const float> expected, const std::string& what);
// |got - expected| <= tolerance * (|expected| + the mean magnitude of `expected`)
void require_close(std::span<const float> got, std::span<const float> expected, double tolerance, const std::string& what);
// The text of an error that a component gave; Failure where it has none.
std::string message_of(const nnrun_error& error, const std::string& of);
std::string shape_text(std::span<const std::int64_t> sample);  // "(N, 6, 6, 3)"

// The kinds. Each adds its checks to the report.
void check_layer(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_loss(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_optimizer(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_schedule(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_initializer(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_metric(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_transform(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_dataset(const ComponentSpec& spec, const Hosts& hosts, Report& report);
void check_kernels(const nnrun_component& component, const Registry& registry, Report& report);

// One function of many numbers, as finite differences see it.
struct Differentiable {
  std::string what;          // eg: "dx"
  std::span<float> numbers;  // where it is differentiated; put back afterwards
  std::span<const float> gradient;
  // Values whose sum, weighted by `weights`, is the function.
  std::function<std::span<const float>()> evaluate;
  std::span<const float> weights;
};
// Compares the gradient with central differences along random directions: dense ones, and single elements. Returns how many
// directions counted; those that cross a kink do not. Throws Failure.
int compare_with_differences(const Differentiable& function, std::uint32_t seed);

}  // namespace nnrun::core::checking
