// Convolutions of each channel by itself, with windows of few columns, which lie side by side.
#pragma once

#include "lattice.hpp"

namespace NNRUN_ISA_NAMESPACE {

constexpr int most_depthwise_taps = 5;  // in a row of a window

}  // namespace NNRUN_ISA_NAMESPACE
