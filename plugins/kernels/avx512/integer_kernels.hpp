#pragma once

#include "../simd/kernels.hpp"
