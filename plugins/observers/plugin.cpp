#include "console.hpp"
#include "metrics.hpp"
#include "report.hpp"

NNRUN_PLUGIN("observers", "1.0.0", nnrun::observers::Console, nnrun::observers::Metrics, nnrun::observers::Report)
