// Winograd's matrix products in f32.
#pragma once

#include "gemm.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

using Operand = float;
constexpr int64_t operands_together = 1;  // weights of so many source channels lie side by side
constexpr int64_t product_rows = 6;       // tiles of one product: 6 x conv_tile_vectors

inline void store_operands(Operand* to, Floats x) { store(to, x); }
inline void store_weights(Operand* to, const Floats (&weights)[operands_together]) { store(to, weights[0]); }

// (tiles, depth) times (depth, width), tiles <= product_rows; rows of sources are `source_stride` apart.
class Products {
 public:
  Products(int64_t width, int64_t source_stride, int64_t depth) {
    tile_.a_stride = source_stride;
    tile_.b_stride = tile_.c_stride = tile_.columns = width;
    tile_.depth = depth;
    tile_.next_stride = prefetch_step * width;
    for (int64_t tiles = 1; tiles <= product_rows; ++tiles) functions_[tiles] = tile_function(tiles, width / lanes, false);
  }

  void operator()(int64_t tiles, const Operand* sources, const Operand* weights, const Operand* next_weights, float* products) {
    tile_.a = sources;
    tile_.b = weights;
    tile_.next = next_weights;
    tile_.c = products;
    functions_[tiles](tile_);
  }

 private:
  Tile tile_ = {};
  TileFunction functions_[product_rows + 1] = {};  // for so many tiles
};

}  // namespace
}  // namespace NNRUN_ISA_NAMESPACE
