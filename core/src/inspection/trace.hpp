// Every tensor of one step, in the order in which it is made. `nnrun trace` prints, saves and compares them.
//
// Names, as in the files that it reads and writes:
//     input                              what the net takes, (N, ...), behind the transforms
//     <layer>.<weight>                   as in checkpoints, eg: 1.dense.weights
//     <layer>.output                     of a layer that absorbed others: under the name of the last of them
//     <layer>.output_gradient            of the loss, or of the outputs' sum, by <layer>.output
//     <layer>.<weight>.gradient
#pragma once

#include "net/network.hpp"
#include "plugins/environment.hpp"
#include "training/evaluation.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nnrun::core {

struct TracedTensor {
  std::string name;
  bool backward = false;
  // Of what it is a sum of many of, the size: for a weight's gradient, a tenth of the mean of |its layer's output_gradient|. Such sums may
  // cancel (a bias before batch normalization), and are rounding then.
  double terms = 0;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

struct Trace {
  std::vector<TracedTensor> tensors;  // the input first; without the weights, which parameters() has
  std::optional<double> loss;         // the mean over the samples
};

struct TraceOptions {
  bool fused = false;      // as training runs it: layers that others absorb have no tensors of their own
  bool inference = false;  // forward alone, as predict does
};

class Tracer {
 public:
  // `parameters` empty: they start as the config says. `sample`: one, without the batch. Throws DiagnosticError.
  Tracer(const Environment& environment, const nnrun_tensor& sample, std::int64_t batch, const TraceOptions& options,
         std::shared_ptr<Parameters> parameters = nullptr);

  const std::shared_ptr<Parameters>& parameters() const { return network_.parameters(); }
  const nnrun_tensor& input() const { return network_.input(); }

  // With labels, backward starts from the loss; without, from ones: the gradient of the outputs' sum.
  Trace run(std::span<const float> input, LossFunction* loss, const nnrun_tensor* labels);
  const nnrun_tensor& output() const { return network_.output(); }

 private:
  const bool backward_;
  Network network_;
};

// |value - reference| <= tolerance * (|reference| + the mean of |reference| + terms)
struct Difference {
  std::string tensor;
  std::vector<std::int64_t> index;  // of the first number beyond the bound
  double value = 0, reference = 0;
  std::size_t count = 0;  // of numbers beyond the bound, in this tensor
};
// Compares one tensor. `largest`, if given: the largest share of the bound that was met.
std::optional<Difference> compare_tensors(const TracedTensor& tensor, std::span<const float> reference, double tolerance,
                                          double* largest = nullptr);

}  // namespace nnrun::core
