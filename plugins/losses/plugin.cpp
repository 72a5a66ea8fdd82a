#include "binary_cross_entropy.hpp"
#include "mean_squared_error.hpp"
#include "sigmoid_cross_entropy.hpp"
#include "softmax_cross_entropy.hpp"

NNRUN_PLUGIN("losses", "1.0.0", nnrun::losses::SoftmaxCrossEntropy, nnrun::losses::SigmoidCrossEntropy, nnrun::losses::BinaryCrossEntropy,
             nnrun::losses::MeanSquaredError)
