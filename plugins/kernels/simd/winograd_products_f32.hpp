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

// (tiles, depth) times (depth, width); rows of sources are `source_stride` apart.
class Products {
 public:
  Products(int64_t width, int64_t source_stride, int64_t depth) {
    tile_.a_stride = source_stride;
    tile_.b_stride = tile_.c_stride = tile_.columns = width;
    tile_.depth = depth;
    tile_.next_stride = prefetch_step * width;
  }

  void operator()(int64_t tiles, const Operand* sources, const Operand* weights, const Operand* next_weights, float* products) const {
    Tile t = tile_;
    t.a = sources;
    t.b = weights;
    t.next = next_weights;
    t.c = products;
    tile_function(tiles, t.columns / lanes, false)(t);
  }

 private:
  Tile tile_ = {};
};

}  // namespace
}  // namespace NNRUN_ISA_NAMESPACE
