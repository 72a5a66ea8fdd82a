// The gradient for x straight from the pooled gradient and argmax: of each 2 x 2 results of the convolution, one gradient at most is
// not zero, and behind ReLU often none. Each that is there adds its filter's 3 x 3 weights to a place of dx.
//
// Phase 0 packs the weights, (chunks of 16 channels, filters, taps, 16). In phase 1 a range is a chunk of a picture: it walks over the
// pooled pixels with a window of 4 x 4 pixels of dx in registers, which moves on by two.
#include "../simd/kernels.hpp"
#include "../simd/strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t taps = 9;
constexpr int64_t block_filters = 64;  // as many bytes as a vector has; their weights for a chunk, 36 KB, stay in the L1 cache
constexpr int64_t filter_floats = taps * lanes;
constexpr int64_t pixels_ahead = 2;  // of y, that are fetched into the L1 cache

struct Layout {
  explicit Layout(const nnrun_conv2d_maxpool_backward_data_f32& a) {
    chunks = ceil_divide(a.channels, lanes);
    blocks = ceil_divide(a.filters, block_filters);
    height = a.windows.output[0] / 2;
    width = a.windows.output[1] / 2;
    columns = 2 * width + 2;
    chunk_floats = a.filters * filter_floats;
    ranges = a.windows.batch * chunks;
  }
  int64_t rows(int64_t range) const { return chunks * chunk_floats + range * 4 * columns * lanes; }
  int64_t floats() const { return rows(ranges); }

  int64_t chunks, blocks;
  int64_t height, width;  // of y
  int64_t columns;        // of dx, that pooled pixels reach
  int64_t chunk_floats, ranges;
};

void pack(const nnrun_conv2d_maxpool_backward_data_f32& a, int64_t chunk, Slice filters, float* to) {
  const int64_t c = chunk * lanes;
  const Mask mask = first(smaller(lanes, a.channels - c));
  for (int64_t row = filters.begin * taps; row < filters.end * taps; ++row)
    store(to + row * lanes, load(a.weights + row * a.channels + c, mask));
}

// The gradients whose largest was at `place`, by the bits of `filters`.
template <int place>
__attribute__((always_inline)) inline void add_gradients(Floats (&sum)[4][4], uint64_t filters, const float* dy, const float* weights) {
  while (filters != 0) {
    const auto f = static_cast<int64_t>(__builtin_ctzll(filters));
    filters &= filters - 1;
    const Floats gradient = all(dy[f]);
    const float* w = weights + f * filter_floats;
    repeat<taps>([&](auto t) __attribute__((always_inline)) {
      Floats& s = sum[place / 2 + t / 3][place % 2 + t % 3];
      s = fma(gradient, load(w + t * lanes), s);
    });
  }
}

// dx of one picture, at a chunk of channels.
class Chunk {
 public:
  Chunk(const nnrun_conv2d_maxpool_backward_data_f32& a, const Layout& l, int64_t range, float* rows) : a_(a), l_(l) {
    const int64_t picture = range / l.chunks, c = range % l.chunks * lanes;
    pixels_ = picture * l.height * l.width * a.filters;
    dx_ = a.dx + picture * a.windows.input[0] * a.windows.input[1] * a.channels + c;
    mask_ = first(smaller(lanes, a.channels - c));
    above_ = rows;
    below_ = rows + 2 * l.columns * lanes;
  }

  // What some filters contribute: the first of them write dx, the others add to it.
  void add_block(int64_t block, const float* weights) {
    accumulate_ = block > 0;
    const Slice filters = slice_of(a_.filters, block_filters, block);
    weights_ = weights + filters.begin * filter_floats;
    filters_ = filters.size() == 64 ? ~uint64_t{0} : (uint64_t{1} << filters.size()) - 1;
    for (int64_t i = 0; i < 2 * l_.columns; ++i) store(above_ + i * lanes, zero());
    for (int64_t row = 0; row < l_.height; ++row) {
      pooled_row(row, pixels_ + row * l_.width * a_.filters + filters.begin);
      float* done = above_;
      above_ = below_;
      below_ = done;
    }
    for (int64_t y = 0; y < 2; ++y) {
      for (int64_t column = 0; column < l_.columns; ++column)
        put(2 * l_.height + y, column, load(above_ + (y * l_.columns + column) * lanes));
    }
    if (!accumulate_) clear_unreached();
  }

 private:
  void pooled_row(int64_t row, int64_t at) {
    Floats sum[4][4];
    repeat<4>([&](auto y) { repeat<4>([&](auto x) { sum[y][x] = zero(); }); });
    for (int64_t column = 0; column < l_.width; ++column, at += a_.filters) {
      const __m512i argmax = _mm512_maskz_loadu_epi8(filters_, a_.argmax + at);
      // The places decide on branches: they are to be there when they are asked for.
      const int64_t ahead = at + pixels_ahead * a_.filters;
      __builtin_prefetch(a_.argmax + ahead);
      for (int64_t f = 0; f < block_filters; f += lanes) __builtin_prefetch(a_.dy + ahead + f);
      const auto at_place = [&](char place) __attribute__((always_inline))->uint64_t {
        return _mm512_mask_cmpeq_epi8_mask(filters_, argmax, _mm512_set1_epi8(place));
      };
      const uint64_t places[4] = {at_place(0), at_place(1), at_place(2), at_place(3)};
      add_gradients<0>(sum, places[0], a_.dy + at, weights_);
      add_gradients<1>(sum, places[1], a_.dy + at, weights_);
      add_gradients<2>(sum, places[2], a_.dy + at, weights_);
      add_gradients<3>(sum, places[3], a_.dy + at, weights_);
      finish_columns(row, 2 * column, sum);
    }
    finish_columns(row, 2 * l_.width, sum);
  }

  // The window's first two columns: the upper two rows are done, the lower two wait for the next pooled row.
  __attribute__((always_inline)) void finish_columns(int64_t row, int64_t column, Floats (&sum)[4][4]) {
    repeat<2>([&](auto x) __attribute__((always_inline)) {
      repeat<2>([&](auto y) __attribute__((always_inline)) {
        const int64_t at = (y * l_.columns + column + x) * lanes;
        put(2 * row + y, column + x, add(sum[y][x], load(above_ + at)));
        store(below_ + at, sum[y + 2][x]);
      });
    });
    repeat<4>([&](auto y) __attribute__((always_inline)) {
      sum[y][0] = sum[y][2];
      sum[y][1] = sum[y][3];
      sum[y][2] = sum[y][3] = zero();
    });
  }

  __attribute__((always_inline)) void put(int64_t reached_row, int64_t reached_column, Floats x) {
    const int64_t row = reached_row - a_.windows.padding[0], column = reached_column - a_.windows.padding[1];
    if (row < 0 || row >= a_.windows.input[0] || column < 0 || column >= a_.windows.input[1]) return;
    float* to = dx_ + (row * a_.windows.input[1] + column) * a_.channels;
    store(to, accumulate_ ? add(x, load(to, mask_)) : x, mask_);
  }

  // Pixels of x that no pooled pixel saw.
  void clear_unreached() {
    const int64_t rows = 2 * l_.height + 2 - a_.windows.padding[0], columns = l_.columns - a_.windows.padding[1];
    for (int64_t row = 0; row < a_.windows.input[0]; ++row) {
      for (int64_t column = row < rows ? larger(0, columns) : 0; column < a_.windows.input[1]; ++column)
        store(dx_ + (row * a_.windows.input[1] + column) * a_.channels, zero(), mask_);
    }
  }

  const nnrun_conv2d_maxpool_backward_data_f32& a_;
  const Layout& l_;
  int64_t pixels_;
  float* dx_;
  Mask mask_;
  float *above_, *below_;  // two rows each, of l.columns
  const float* weights_ = nullptr;
  uint64_t filters_ = 0;
  bool accumulate_ = false;
};

}  // namespace

bool conv2d_maxpool_backward_data_f32_sparse_supports(const nnrun_conv2d_maxpool_backward_data_f32& a) {
  for (int axis = 0; axis < 2; ++axis) {
    if (a.windows.kernel[axis] != 3 || a.windows.stride[axis] != 1 || a.windows.dilation[axis] != 1) return false;
  }
  return a.groups == 1;
}

void conv2d_maxpool_backward_data_f32_sparse_work(const nnrun_conv2d_maxpool_backward_data_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.chunks * l.blocks;
  work.ranges[1] = l.ranges;
  work.batch_phase = 2;
  work.workspace = static_cast<size_t>(l.floats()) * sizeof(float);
}

void conv2d_maxpool_backward_data_f32_sparse_run(const nnrun_conv2d_maxpool_backward_data_f32& a, void* workspace, uint32_t phase,
                                                 int64_t range) {
  const Layout l(a);
  float* weights = static_cast<float*>(workspace);
  if (phase == 0) {
    const int64_t chunk = range / l.blocks;
    pack(a, chunk, slice_of(a.filters, block_filters, range % l.blocks), weights + chunk * l.chunk_floats);
    return;
  }
  Chunk chunk(a, l, range, weights + l.rows(range));
  for (int64_t block = 0; block < l.blocks; ++block) chunk.add_block(block, weights + range % l.chunks * l.chunk_floats);
}

}  // namespace NNRUN_ISA_NAMESPACE
