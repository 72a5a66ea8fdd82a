// Convolutions with 3 x 3 windows through Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016): 36 multiplications for 16 results instead of 144. With B, G and A from that paper,
//     y = A' [ (G w G') * (B' x B) ] A,
// x a tile of 6 x 6, w the weights, 3 x 3, y the results, 4 x 4; * is elementwise, and summed over the channels: 36 matrix products.
#pragma once

#include "kernels.hpp"

namespace NNRUN_ISA_NAMESPACE {

// What goes forward and what goes backward to the input is the same with the weights' roles exchanged.
struct Winograd {
  int64_t batch;
  int64_t source_size[2], target_size[2];  // height, width
  int64_t padding[2];                      // zeros before the source's first row and column
  int64_t source_channels, target_channels;
  bool backward;  // weights are (source channels, 3, 3, target channels), and turned by half a turn
  bool pool;      // of the target, only the largest of each 2 x 2 is kept
  bool relu;
  const float* source;
  const float* weights;  // (target channels, 3, 3, source channels)
  const float* bias;     // or NULL
  float* target;         // pool: of half the size
  uint8_t* argmax;       // pool: see nnrun_conv2d_maxpool_forward_f32; or NULL
};

bool winograd_supports(const nnrun_windows& windows, int64_t channels, int64_t filters, int64_t groups);
void winograd_work(const Winograd& w, nnrun_work& work);
void winograd_run(const Winograd& w, void* workspace, uint32_t phase, int64_t range);

}  // namespace NNRUN_ISA_NAMESPACE
