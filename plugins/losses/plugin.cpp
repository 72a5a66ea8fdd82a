#include "softmax_cross_entropy.hpp"

NNRUN_PLUGIN("losses", "1.0.0", nnrun::losses::SoftmaxCrossEntropy)
