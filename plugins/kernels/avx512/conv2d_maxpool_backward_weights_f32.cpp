// The gradients for weights and bias straight from the pooled gradient and argmax, for 3 x 3 windows: each gradient that is there
// takes its window of x, 9 taps of all channels, times itself.
//
// Phase 0: slices of the batch, each into sums of its own. A slice walks over bands of pooled rows. It copies what some bands see of x,
// for each of them lists for each filter where its gradients are in that and how large, and works through the lists, 32 channels at a
// time, with 18 sums in registers. Phase 1 adds up the slices.
#include "../simd/kernels.hpp"
#include "../simd/padded_band.hpp"
#include "../simd/prefetch.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t taps = 9;
constexpr int64_t most_slices = 8;
constexpr int64_t band_pixels = 64;  // of y, at least: a list then has two dozen items, to pay for loading and storing the sums
constexpr int64_t copied_bands = 2;  // together: neighbours see two rows of x in common
constexpr int64_t strip_channels = 2 * lanes;
constexpr int64_t most_band_vectors = 1 << 16;  // places are told in 16 bits

struct Layout {
  explicit Layout(const nnrun_conv2d_maxpool_backward_weights_f32& a) {
    height = a.windows.output[0] / 2;
    width = a.windows.output[1] / 2;
    channels = ceil_divide(a.channels, lanes) * lanes;
    filters = ceil_divide(a.filters, lanes) * lanes;
    rows = smaller(height, ceil_divide(band_pixels, width));
    columns = 2 * width + 2;
    bands = ceil_divide(height, rows);
    slices = smaller(most_slices, a.windows.batch);
    sums = filters * taps * channels + filters;
    band_floats = (2 * rows + 2) * columns * channels;
    x_floats = (2 * rows * smaller(copied_bands, bands) + 2) * columns * channels;
    list = ceil_divide(rows * width, lanes) * lanes + lanes;  // the last store of a list, and the next word, go beyond its end
    slice_floats = sums + x_floats + filters * list + filters * list / 2 + filters;
  }
  int64_t vectors() const { return band_floats / lanes; }

  int64_t height, width;      // of y
  int64_t channels, filters;  // whole vectors
  int64_t rows, columns;      // pooled rows of a band, columns of its x
  int64_t bands, slices;
  int64_t sums;  // (filters, taps, channels), then a bias a filter
  int64_t band_floats, x_floats, list, slice_floats;
};

// Where each filter's gradients are, and how large.
struct Lists {
  Lists(const Layout& l, float* memory)
      : length(l.list),
        gradient(memory),
        place(reinterpret_cast<uint16_t*>(memory + l.filters * l.list)),
        count(reinterpret_cast<int32_t*>(memory + l.filters * l.list + l.filters * l.list / 2)) {}

  int64_t length;
  float* gradient;  // (filters, length)
  uint16_t* place;  // (filters, length): the vector of the band's x where the window begins
  int32_t* count;
};

// Pooled pixels `at`, ..., 16 of them, for 16 filters.
void append(const nnrun_conv2d_maxpool_backward_weights_f32& a, int64_t at, int64_t pixels, int64_t filter, __m512i places,
            __m512i of_argmax, const Lists& lists, float* bias) {
  const int64_t filters = smaller(lanes, a.filters - filter);
  const Mask mask = first(filters);
  Floats gradient[lanes], argmax[lanes], bias_sum = load(bias + filter);
  for (int64_t p = 0; p < lanes; ++p) {
    const int64_t from = (at + p) * a.filters + filter;
    const Mask there = p < pixels ? mask : first(0);
    const __m512i which = _mm512_cvtepu8_epi32(_mm_mask_loadu_epi8(_mm_set1_epi8(4), there, a.argmax + from));
    gradient[p] = load(a.dy + from, there);
    const int64_t ahead = from + lanes * a.filters;  // of the next pixels, into the L1 cache
    __builtin_prefetch(a.dy + ahead);
    if (filter % cache_line == 0) __builtin_prefetch(a.argmax + ahead);
    argmax[p] = _mm512_castsi512_ps(which);
    bias_sum = _mm512_mask_add_ps(bias_sum, _mm512_cmplt_epi32_mask(which, _mm512_set1_epi32(4)), bias_sum, gradient[p]);
  }
  store(bias + filter, bias_sum);
  transpose(gradient);
  transpose(argmax);
  for (int64_t f = 0; f < filters; ++f) {
    const __m512i which = _mm512_castps_si512(argmax[f]);
    const Mask alive = _mm512_cmplt_epi32_mask(which, _mm512_set1_epi32(4));
    const __m512i place = _mm512_add_epi32(places, _mm512_permutexvar_epi32(which, of_argmax));
    int32_t& count = lists.count[filter + f];
    const int64_t to = (filter + f) * lists.length + count;
    store(lists.gradient + to, _mm512_maskz_compress_ps(alive, gradient[f]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lists.place + to), _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(alive, place)));
    count += __builtin_popcount(alive);
  }
}

void make_lists(const nnrun_conv2d_maxpool_backward_weights_f32& a, const Layout& l, int64_t picture, Slice rows, const Lists& lists,
                float* bias) {
  for (int64_t f = 0; f < l.filters; ++f) lists.count[f] = 0;
  const auto pixel = static_cast<int>(l.channels / lanes), row = static_cast<int>(l.columns) * pixel;
  const __m512i of_argmax = _mm512_setr_epi32(0, pixel, row, row + pixel, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const int64_t pixels = rows.size() * l.width, begin = (picture * l.height + rows.begin) * l.width;
  for (int64_t p = 0; p < pixels; p += lanes) {
    alignas(64) int32_t place[lanes];
    for (int64_t i = 0; i < lanes; ++i) place[i] = static_cast<int32_t>((p + i) / l.width * 2 * row + (p + i) % l.width * 2 * pixel);
    for (int64_t f = 0; f < a.filters; f += lanes) append(a, begin + p, pixels - p, f, _mm512_load_si512(place), of_argmax, lists, bias);
  }
}

// sums[tap * l.channels + ...] += for all items of a list: gradient * x, for `vectors` vectors of channels.
template <int vectors>
void add_windows(const Layout& l, const float* x, const uint16_t* place, const float* gradient, int64_t count, float* sums) {
  Floats sum[taps][vectors];
  repeat<taps>([&](auto t) __attribute__((always_inline)) {
    repeat<vectors>([&](auto v) __attribute__((always_inline)) { sum[t][v] = load(sums + t * l.channels + v * lanes); });
  });
  const int64_t pixel = l.channels, row = l.columns * l.channels;
  const auto add_window = [&](uint64_t at, float g) __attribute__((always_inline)) {
    const float* from = x + at * lanes;
    asm("" : "+r"(from));  // one address an item: GCC would compute nine
    const Floats factor = all(g);
    repeat<taps>([&](auto t) __attribute__((always_inline)) {
      repeat<vectors>([&](auto v) __attribute__((always_inline)) {
        sum[t][v] = fma(factor, load(from + t / 3 * row + t % 3 * pixel + v * lanes), sum[t][v]);
      });
    });
  };
  // Four places in one load, the next four on their way: small loads among those of vectors are slow.
  uint64_t places, next;
  __builtin_memcpy(&places, place, sizeof places);
  for (; count >= 4; count -= 4, gradient += 4) {
    place += 4;
    __builtin_memcpy(&next, place, sizeof next);
    repeat<4>([&](auto i) __attribute__((always_inline)) { add_window(places >> (16 * i) & 0xffff, gradient[i]); });
    places = next;
  }
  for (; count > 0; --count, places >>= 16) add_window(places & 0xffff, *gradient++);
  repeat<taps>([&](auto t) __attribute__((always_inline)) {
    repeat<vectors>([&](auto v) __attribute__((always_inline)) { store(sums + t * l.channels + v * lanes, sum[t][v]); });
  });
}

void sum_slice(const nnrun_conv2d_maxpool_backward_weights_f32& a, const Layout& l, int64_t slice, float* sums) {
  float* x = sums + l.sums;
  const Lists lists(l, x + l.x_floats);
  float* bias = sums + l.filters * taps * l.channels;
  fill_with_zeros(sums, l.sums);
  const int64_t begin = a.windows.batch * slice / l.slices, end = a.windows.batch * (slice + 1) / l.slices;
  for (int64_t picture = begin; picture < end; ++picture) {
    const float* from = a.x + picture * a.windows.input[0] * a.windows.input[1] * a.channels;
    for (int64_t band = 0; band < l.bands; ++band) {
      const Slice rows = slice_of(l.height, l.rows, band);
      if (band % copied_bands == 0) {
        const Slice copied = slice_of(l.height, l.rows * copied_bands, band / copied_bands);
        copy_padded({from, a.windows.input[0], a.windows.input[1], a.channels, 2 * copied.begin - a.windows.padding[0],
                     -a.windows.padding[1], 2 * copied.size() + 2, l.columns, l.channels},
                    x);
      }
      const float* seen = x + band % copied_bands * 2 * l.rows * l.columns * l.channels;
      make_lists(a, l, picture, rows, lists, bias);
      for (int64_t c = 0; c < l.channels; c += strip_channels) {
        const auto add = c + strip_channels <= l.channels ? add_windows<2> : add_windows<1>;
        for (int64_t f = 0; f < a.filters; ++f)
          add(l, seen + c, lists.place + f * l.list, lists.gradient + f * l.list, lists.count[f], sums + f * taps * l.channels + c);
      }
    }
  }
}

void reduce(const nnrun_conv2d_maxpool_backward_weights_f32& a, const Layout& l, const float* sums, int64_t range) {
  const auto sum_at = [&](int64_t at, Mask mask) {
    Floats sum = load(sums + at, mask);
    for (int64_t slice = 1; slice < l.slices; ++slice) sum = add(sum, load(sums + slice * l.slice_floats + at, mask));
    return sum;
  };
  const Slice filters = slice_of(a.filters, lanes, range);
  for (int64_t row = filters.begin * taps; row < filters.end * taps; ++row) {
    for (int64_t c = 0; c < a.channels; c += lanes) {
      const Mask mask = first(smaller(lanes, a.channels - c));
      store(a.dweights + row * a.channels + c, sum_at(row * l.channels + c, mask), mask);
    }
  }
  if (!a.has_bias) return;
  const Mask mask = first(filters.size());
  store(a.dbias + filters.begin, sum_at(l.filters * taps * l.channels + filters.begin, mask), mask);
}

}  // namespace

bool conv2d_maxpool_backward_weights_f32_sparse_supports(const nnrun_conv2d_maxpool_backward_weights_f32& a) {
  for (int axis = 0; axis < 2; ++axis) {
    if (a.windows.kernel[axis] != 3 || a.windows.stride[axis] != 1 || a.windows.dilation[axis] != 1) return false;
  }
  constexpr int64_t fewest_channels = 12;  // of 16 in a vector
  return a.groups == 1 && a.channels >= fewest_channels && Layout(a).vectors() <= most_band_vectors;
}

void conv2d_maxpool_backward_weights_f32_sparse_work(const nnrun_conv2d_maxpool_backward_weights_f32& a, nnrun_work& work) {
  const Layout l(a);
  work = {};
  work.phases = 2;
  work.ranges[0] = l.slices;
  work.batch_phase = 1;
  work.ranges[1] = l.filters / lanes;
  work.workspace = static_cast<size_t>(l.slices * l.slice_floats) * sizeof(float);
}

void conv2d_maxpool_backward_weights_f32_sparse_run(const nnrun_conv2d_maxpool_backward_weights_f32& a, void* workspace, uint32_t phase,
                                                    int64_t range) {
  const Layout l(a);
  float* sums = static_cast<float*>(workspace);
  if (phase == 0) {
    sum_slice(a, l, range, sums + range * l.slice_floats);
  } else {
    reduce(a, l, sums, range);
  }
}

}  // namespace NNRUN_ISA_NAMESPACE
