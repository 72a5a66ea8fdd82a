#include "affine.hpp"
#include "elastic.hpp"
#include "normalize.hpp"
#include "scale.hpp"

NNRUN_PLUGIN("transforms", "1.0.0", nnrun::transforms::Scale, nnrun::transforms::Normalize, nnrun::transforms::Affine,
             nnrun::transforms::Elastic)
