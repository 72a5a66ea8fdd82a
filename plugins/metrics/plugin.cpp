#include "accuracy.hpp"

NNRUN_PLUGIN("metrics", "1.0.0", nnrun::metrics::Accuracy)
