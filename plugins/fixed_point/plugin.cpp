// Layers on integers, and the quantizers that make nets of them.
#include "fixed_conv2d.hpp"
#include "fixed_dense.hpp"
#include "fixed_maxpool2d.hpp"
#include "fixed_numbers.hpp"
#include "fixed_relu.hpp"
#include "int8.hpp"
#include "integer_schemes.hpp"

using namespace nnrun::fixed_point;

NNRUN_PLUGIN("fixed_point", "1.0.0", FixedDense, FixedConv2d, FixedMaxpool2d, FixedRelu, FixedInput, FixedWiden, Requantize, FixedOutput,
             FixedArgmax, Q16_16, Q16_16Low, Q12, Q8, Int8)
