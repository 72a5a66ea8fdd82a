// The parts of the convolutions: each element of the target gathers from the source, y from x going forward, dx from dy going
// backward, which is the same walk over another lattice with the weights' roles exchanged.
#pragma once

#include "lattice.hpp"

namespace NNRUN_ISA_NAMESPACE {

constexpr int most_tile_pixels = 8;

// Pixels that a tile of so many vectors of channels may have: pixels x vectors sums, a row of weights and a number of the source must
// fit the registers.
constexpr int tile_pixels(int64_t vectors) { return conv_tile_pixels(static_cast<int>(vectors)); }

// A few pixels of the target, and how their taps walk through the source.
struct GatherTile {
  // The same for all tiles of a lattice.
  Lattice lattice[2];
  int64_t size[2];      // of the source
  int64_t pixel;        // floats from a pixel of the source to the next
  int64_t depth;        // floats of a pixel that count: the group's channels
  const float* source;  // at the group's first channel
  const float* zeros;   // `depth` of them, for pixels outside of the source
  int64_t kernel_width;
  // Where a row's taps are one contiguous piece of the source and of the weights, they are taken in one go.
  int64_t inside_pieces, inside_length;
  int64_t ahead;  // floats of the target from a tile to the next

  // This tile's.
  int64_t row[most_tile_pixels], column[most_tile_pixels];  // of the first tap
  int64_t offset[most_tile_pixels];                         // of the first tap, in `source`; meaningless outside
  int64_t to[most_tile_pixels];                             // in the panel's `target`
};

// Some channels of the target. Weights are packed (taps, depth, width), or (taps, width) depthwise.
struct GatherPanel {
  const float* weights;
  float* target;      // at the panel's first channel
  int64_t width;      // whole vectors
  int64_t columns;    // those that count; the tile's last vector is masked
  const float* bias;  // NULL: none
  bool relu;
  int64_t first_channel;  // depthwise: of the source, too
};

using GatherFunction = void (*)(const GatherTile& tile, const GatherPanel& panel);

// pixels in 1..tile_pixels(vectors); inside: no tap of the tile is outside of the source.
GatherFunction gather_function(int64_t pixels, int64_t vectors, bool inside);
GatherFunction depthwise_function(int64_t pixels, int64_t vectors, bool inside);

}  // namespace NNRUN_ISA_NAMESPACE
