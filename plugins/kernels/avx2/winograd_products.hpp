#pragma once

#include "../simd/winograd_products_f32.hpp"
