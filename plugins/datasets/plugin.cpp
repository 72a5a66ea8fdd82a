#include "drawn_digits.hpp"
#include "idx.hpp"

NNRUN_PLUGIN("datasets", "1.0.0", nnrun::datasets::Idx, nnrun::datasets::DrawnDigits)
