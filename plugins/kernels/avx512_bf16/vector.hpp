// The vectors of avx512, for kernels in a namespace of their own.
#pragma once

#include "../avx512/vector.hpp"

#undef NNRUN_ISA_NAMESPACE
#define NNRUN_ISA_NAMESPACE nnrun_avx512_bf16
