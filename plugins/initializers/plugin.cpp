#include "filled.hpp"
#include "he_normal.hpp"
#include "uniform.hpp"

NNRUN_PLUGIN("initializers", "1.0.0", nnrun::initializers::HeUniform, nnrun::initializers::GlorotUniform, nnrun::initializers::HeNormal,
             nnrun::initializers::Zeros, nnrun::initializers::Ones, nnrun::initializers::Constant)
