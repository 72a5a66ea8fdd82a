#include "accuracy.hpp"
#include "auc.hpp"
#include "precision.hpp"
#include "recall.hpp"

NNRUN_PLUGIN("metrics", "1.0.0", nnrun::metrics::Accuracy, nnrun::metrics::Precision, nnrun::metrics::Recall, nnrun::metrics::Auc)
