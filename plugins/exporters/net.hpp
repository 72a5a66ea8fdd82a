// A trained net as exporters write it: one sample at a time, from the numbers that the first layer takes to the last layer's, with a place
// in memory for everything in between.
#pragma once

#include <nnrun/plugin.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nnrun::exporters {

// Where a layer's input or output lies.
struct Place {
  enum class Where {
    input,
    arena,
    output
  } where = Where::arena;   // the caller's input, our memory, the caller's output
  std::int64_t offset = 0;  // bytes into the arena
  std::int64_t count = 0;   // elements of one sample
  nnrun_dtype dtype = NNRUN_F32;
};

enum class Operation {
  product,
  maxpool,
  relu,
  widen,
  requantize,
  argmax,
  affine
};

struct Layer {
  Operation operation = Operation::relu;
  std::string name;        // the layer's own, eg: "1.fixed_dense"
  std::size_t number = 0;  // of the layers here, from 1: for names in what is written
  Place input, output;

  // A product: y = W x + b, or over windows. W is (features, depth); of a convolution, depth is (kernel, kernel, channels / groups).
  std::string arithmetic;  // "q16", "q16_low", "s32", "s8", or "f32"
  bool convolution = false;
  nnrun_windows windows{};  // a convolution's, and a maxpool's
  std::int64_t features = 0, depth = 0, channels = 0, groups = 1;
  std::int64_t shift = 0, outside = 0;
  std::vector<float> weights_f32, bias_f32;  // (features, depth), (features)
  std::vector<std::int32_t> weights_s32, bias_s32;
  std::vector<std::int8_t> weights_s8;

  std::int64_t factor = 1;                        // widen
  std::vector<std::int32_t> multipliers, shifts;  // requantize: one, or one a channel
  std::vector<float> scale, offset;               // affine: one a channel

  std::int64_t weight_bytes() const;  // all constants
};

struct Net {
  bool integers = false;
  Shape input_shape;  // of one sample
  nnrun_dtype input = NNRUN_F32;
  std::int64_t inputs = 0, outputs = 0;
  // Integers: input = floor(x * input_scale + input_offset), kept in minimum..maximum; what the float net gives is output * output_scale.
  double input_scale = 1, input_offset = 0, input_minimum = 0, input_maximum = 0, output_scale = 1;
  std::vector<Layer> layers;
  std::int64_t arena_bytes = 0;

  // Golden vectors: inputs as the net takes them, and its outputs; (golden, inputs) and (golden, outputs).
  std::int64_t golden = 0;
  nnrun_tensor golden_inputs{}, golden_outputs{};

  std::int64_t weight_bytes() const;
};

// Throws Error where a layer has no place in an export. `golden`: how many vectors are wanted at most.
Net net_of(const nnrun_net_view& view, std::int64_t golden);

std::int64_t bytes_of(nnrun_dtype dtype);

// The largest of some outputs, the first of equal ones.
template <class T>
std::int64_t class_of(std::span<const T> outputs) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    if (outputs[i] > outputs[best]) best = i;
  }
  return static_cast<std::int64_t>(best);
}

}  // namespace nnrun::exporters
