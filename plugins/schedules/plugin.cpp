#include "constant.hpp"
#include "cosine.hpp"
#include "exponential.hpp"
#include "one_cycle.hpp"
#include "step.hpp"
#include "warm_up.hpp"

NNRUN_PLUGIN("schedules", "1.0.0", nnrun::schedules::Constant, nnrun::schedules::Exponential, nnrun::schedules::Step,
             nnrun::schedules::Cosine, nnrun::schedules::OneCycle, nnrun::schedules::WarmUp)
