#pragma once

#include "kernels.hpp"

#define NNRUN_ISA_NAMESPACE nnrun_scalar  // what the sources in ../integers/ define their kernels in
