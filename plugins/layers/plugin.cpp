#include "batchnorm.hpp"
#include "dense.hpp"
#include "dropout.hpp"
#include "flatten.hpp"
#include "relu.hpp"
#include "softmax.hpp"

NNRUN_PLUGIN("layers", "1.0.0", nnrun::layers::Dense, nnrun::layers::Relu, nnrun::layers::Flatten, nnrun::layers::Dropout,
             nnrun::layers::Batchnorm, nnrun::layers::Softmax)
