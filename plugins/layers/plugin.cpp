#include "add.hpp"
#include "avgpool2d.hpp"
#include "batchnorm.hpp"
#include "conv2d.hpp"
#include "dense.hpp"
#include "dropout.hpp"
#include "flatten.hpp"
#include "gelu.hpp"
#include "leaky_relu.hpp"
#include "maxpool2d.hpp"
#include "relu.hpp"
#include "sigmoid.hpp"
#include "silu.hpp"
#include "softmax.hpp"
#include "tanh.hpp"

NNRUN_PLUGIN("layers", "1.0.0", nnrun::layers::Dense, nnrun::layers::Relu, nnrun::layers::Flatten, nnrun::layers::Dropout,
             nnrun::layers::Batchnorm, nnrun::layers::Softmax, nnrun::layers::LeakyRelu, nnrun::layers::Sigmoid, nnrun::layers::Tanh,
             nnrun::layers::Gelu, nnrun::layers::Silu, nnrun::layers::Add, nnrun::layers::Conv2d, nnrun::layers::Maxpool2d,
             nnrun::layers::Avgpool2d, nnrun::layers::GlobalAvgpool)
