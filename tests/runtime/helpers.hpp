// What the tests of the runtime and of the layers share.
#pragma once

#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/data.hpp"
#include "training/evaluation.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace nnrun::test {

// A checked config with the built-in plugins and those of the tests. `overrides` as on the command line.
std::unique_ptr<core::Environment> make_environment(const std::string& yaml, const std::vector<std::string>& overrides = {});

// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A net that trains, with memory for gradients, for configs that say model.input.
struct Net {
  Net(const core::Environment& environment, std::int64_t batch, bool training = true);

  core::Parameters& parameters() { return *network.parameters(); }
  void forward() { network.forward(step); }
  // `dy`: one number an output.
  void backward(std::span<const float> dy);
  std::vector<float> output() const;
  std::vector<float> gradient(std::size_t slot);
  // sum of output * r, in double.
  double weighted_output(std::span<const float> r);

  core::Network network;
  std::int64_t step = 0;
};

std::vector<float> random_numbers(std::size_t count, std::mt19937& random, float low = -1, float high = 1);
void fill(float* to, std::span<const float> from);

// Derivative of sum(y * r) by weight `slot` along `direction`, by a stencil of four points at distances `step` and 2 * `step`:
// the error is of order step^4.
double directional_derivative(Net& net, std::size_t slot, std::span<const float> direction, std::span<const float> r, double step);
// Throws std::runtime_error where the gradient of any weight differs from finite differences by more than `tolerance`, relative to
// the size of the terms that are added up.
void check_gradients(Net& net, std::mt19937& random, double step, double tolerance);

}  // namespace nnrun::test
