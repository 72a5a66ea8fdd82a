#include "adam.hpp"
#include "adamw.hpp"
#include "momentum.hpp"
#include "sgd.hpp"

NNRUN_PLUGIN("optimizers", "1.0.0", nnrun::optimizers::Sgd, nnrun::optimizers::Momentum, nnrun::optimizers::Adam, nnrun::optimizers::Adamw)
