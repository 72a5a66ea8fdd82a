// The convolutions that conv2d.cpp measures: what nets for pictures are made of.
#pragma once

#include "onednn_convolution.hpp"

namespace benchmark {

// {batch, pixels, channels, filters, kernel, stride, groups, bias, relu}. Without bias and ReLU: before a batch norm. The batch
// is such that a call takes no more than some ten milliseconds.
inline constexpr onednn::Convolution conv2d_shapes[] = {
    // 3x3
    {16, 128, 3, 32, 3, 1, 1, true, true},
    {8, 128, 16, 16, 3, 1, 1, true, true},
    {4, 128, 16, 32, 3, 1, 1, false, false},
    {4, 128, 32, 32, 3, 1, 1, true, true},
    {8, 64, 32, 32, 3, 1, 1, false, false},
    {8, 64, 32, 64, 3, 1, 1, true, true},
    {4, 64, 64, 64, 3, 1, 1, true, true},
    {8, 56, 64, 64, 3, 1, 1, false, false},
    {8, 32, 32, 64, 3, 1, 1, false, false},
    {8, 32, 64, 128, 3, 1, 1, true, true},
    {8, 28, 48, 48, 3, 1, 1, false, false},
    {8, 28, 128, 128, 3, 1, 1, false, false},
    {16, 16, 64, 64, 3, 1, 1, false, false},
    {16, 16, 64, 96, 3, 1, 1, false, false},
    {8, 16, 128, 256, 3, 1, 1, true, true},
    {8, 14, 256, 256, 3, 1, 1, false, false},
    {16, 8, 96, 96, 3, 1, 1, false, false},
    {16, 7, 128, 128, 3, 1, 1, true, true},
    {16, 7, 256, 256, 3, 1, 1, false, false},
    {1, 56, 64, 64, 3, 1, 1, true, true},
    {1, 14, 256, 256, 3, 1, 1, true, true},
    // 3x3, stride 2
    {8, 128, 16, 32, 3, 2, 1, false, false},
    {8, 64, 32, 64, 3, 2, 1, true, true},
    {8, 56, 64, 128, 3, 2, 1, false, false},
    {8, 28, 128, 256, 3, 2, 1, false, false},
    {16, 14, 256, 256, 3, 2, 1, false, false},
    // 1x1
    {4, 112, 16, 96, 1, 1, 1, false, false},
    {8, 56, 24, 144, 1, 1, 1, false, false},
    {8, 56, 64, 64, 1, 1, 1, false, false},
    {4, 56, 64, 256, 1, 1, 1, false, false},
    {4, 56, 256, 64, 1, 1, 1, false, false},
    {8, 28, 256, 128, 1, 1, 1, true, true},
    {16, 14, 192, 64, 1, 1, 1, false, false},
    {16, 14, 256, 256, 1, 1, 1, false, false},
    {16, 7, 256, 256, 1, 1, 1, true, true},
    // 1x1, stride 2
    {8, 56, 64, 128, 1, 2, 1, false, false},
    {8, 28, 128, 256, 1, 2, 1, false, false},
    // 5x5
    {16, 128, 3, 24, 5, 2, 1, false, false},
    {4, 128, 16, 16, 5, 1, 1, true, true},
    {8, 64, 32, 32, 5, 2, 1, true, true},
    {8, 32, 32, 64, 5, 1, 1, true, true},
    {8, 28, 32, 96, 5, 1, 1, true, true},
    {16, 14, 16, 48, 5, 1, 1, true, true},
    {8, 16, 64, 64, 5, 1, 1, false, false},
    {16, 8, 96, 96, 5, 1, 1, true, true},
    // depthwise
    {8, 112, 32, 32, 3, 1, 32, false, false},
    {8, 112, 96, 96, 3, 2, 96, false, false},
    {8, 56, 144, 144, 3, 1, 144, false, false},
    {8, 56, 144, 144, 3, 2, 144, false, false},
    {16, 28, 192, 192, 3, 1, 192, true, true},
    {16, 28, 120, 120, 5, 1, 120, false, false},
    {16, 14, 256, 256, 3, 1, 256, false, false},
    {32, 7, 256, 256, 3, 1, 256, true, true},
    {16, 14, 240, 240, 5, 2, 240, false, false},
};

}  // namespace benchmark
