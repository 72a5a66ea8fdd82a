#include "advance.hpp"
#include "gemm.hpp"
#include "prefetch.hpp"
#include "strips.hpp"

namespace NNRUN_ISA_NAMESPACE {
namespace {

constexpr int64_t c_ahead = 96;  // of k

// What Tile::next is: rows of B, for the L2 cache, or lines one behind the other, for the L1 cache.
enum class Fetch {
  rows_of_b,
  lines
};

template <int rows, int vectors>
struct Sums {
  Floats at[rows][vectors];
  auto& operator[](int row) { return at[row]; }
};

// Bias, ReLU, and what is in C already. By value: an array whose address is taken would live in memory.
template <int rows, int vectors>
__attribute__((always_inline)) inline void finish(const Tile& t, Sums<rows, vectors> sum, Mask last) {
  const auto for_each = [&](auto body) __attribute__((always_inline)) {
    repeat<rows>([&](auto i) __attribute__((always_inline)) {
      repeat<vectors>([&](auto j) __attribute__((always_inline)) { body(i, j, t.c + i * t.c_stride + j * lanes); });
    });
  };
  if (t.bias) {
    Floats bias[vectors];
    repeat<vectors>([&](auto j) __attribute__((always_inline)) {
      bias[j] = j == vectors - 1 ? load(t.bias + j * lanes, last) : load(t.bias + j * lanes);
    });
    for_each([&](auto i, auto j, float*) __attribute__((always_inline)) { sum[i][j] = add(sum[i][j], bias[j]); });
  }
  if (t.accumulate) {
    for_each([&](auto i, auto j, float* c)
                 __attribute__((always_inline)) { sum[i][j] = add(sum[i][j], j == vectors - 1 ? load(c, last) : load(c)); });
  }
  if (t.relu) {
    for_each([&](auto i, auto j, float*) __attribute__((always_inline)) { sum[i][j] = maximum(zero(), sum[i][j]); });
  }
  for_each([&](auto i, auto j, float* c) __attribute__((always_inline)) {
    if constexpr (j == vectors - 1) {
      store(c, sum[i][j], last);
    } else {
      store(c, sum[i][j]);
    }
  });
}

// Everything in registers: rows x vectors sums, and either the row of B (few vectors) or the column of A (few rows) of one p.
template <int rows, int vectors, bool a_by_columns, Fetch fetch>
void multiply_tile(const Tile& t) {
  constexpr int groups = (rows + 2) / 3;  // rows 3g, 3g + 1, 3g + 2 are addressed from one pointer: there are 16 registers only
  const int64_t row_stride = a_by_columns ? 1 : t.a_stride;
  const Mask last = first(t.columns - (vectors - 1) * lanes);

  const float* a[groups];
  repeat<groups>([&](auto g) { a[g] = t.a + 3 * g * row_stride; });
  const float* b = t.b;
  const float* next = t.next;

  Sums<rows, vectors> sum;
  repeat<rows>([&](auto i) { repeat<vectors>([&](auto j) { sum[i][j] = zero(); }); });

  const auto a_at = [&](auto i) __attribute__((always_inline)) {
    return a_by_columns ? all(a[0][i]) : all(a[i / 3][(i % 3) * row_stride]);
  };
  const auto b_at = [&](auto j) __attribute__((always_inline)) {
    return j == vectors - 1 ? load(b + j * lanes, last) : load(b + j * lanes);
  };
  const auto multiply_add = [&]() __attribute__((always_inline)) {
    if constexpr (rows >= vectors) {
      Floats row[vectors];
      repeat<vectors>([&](auto j) __attribute__((always_inline)) { row[j] = b_at(j); });
      repeat<rows>([&](auto i) __attribute__((always_inline)) {
        const Floats x = a_at(i);
        repeat<vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] = fma(x, row[j], sum[i][j]); });
      });
    } else {
      Floats column[rows];
      repeat<rows>([&](auto i) __attribute__((always_inline)) { column[i] = a_at(i); });
      repeat<vectors>([&](auto j) __attribute__((always_inline)) {
        const Floats y = b_at(j);
        repeat<rows>([&](auto i) __attribute__((always_inline)) { sum[i][j] = fma(column[i], y, sum[i][j]); });
      });
    }
    // Whoever unrolls this knows too much: GCC would keep an offset for each row and p, on the stack, and load them one by one.
    if constexpr (a_by_columns) {
      advance(a[0], t.a_stride);
    } else {
      repeat<groups>([&](auto g) __attribute__((always_inline)) { advance(a[g], 1); });
    }
    advance(b, t.b_stride);
  };

  // C is fetched a while before the sums are added to it: early enough to come from memory, late enough not to leave the L1
  // cache again.
  int64_t depth = t.depth;
  for (int64_t stop = c_ahead;; stop = 0) {
    for (; depth >= stop + prefetch_step; depth -= prefetch_step) {
      int64_t now = prefetch_step;
      asm("" : "+r"(now));  // four copies of this would have GCC move sums between registers, and to memory
      for (; now > 0; --now) multiply_add();
      if (next) {
        if constexpr (fetch == Fetch::lines) {
          for (int64_t lines = t.next_lines; lines > 0; --lines, next += line_floats) __builtin_prefetch(next);
        } else {
          repeat<(vectors * lanes + line_floats - 1) / line_floats>([&](auto j) __attribute__((always_inline)) {
            __builtin_prefetch(next + j * line_floats, 0, 2);
          });
          advance(next, t.next_stride);
        }
      }
    }
    if (stop == 0) break;
    if (fetch == Fetch::lines) continue;
    repeat<rows>([&](auto i) __attribute__((always_inline)) {
      repeat<vectors>([&](auto j) __attribute__((always_inline)) {
        __builtin_prefetch(t.c + i * t.c_stride + smaller(j * lanes, t.columns - 1), 1);
      });
    });
  }
  for (; depth > 0; --depth) multiply_add();

  finish<rows, vectors>(t, sum, last);
}

// A row of A by a matrix takes as long as reading the matrix. Hardware fetches ahead by the distance between a load and its next turn,
// where that is well below a page, and best in ascending order: so one p at a time, and loads in the order that they have here.
template <int vectors, bool a_by_columns, bool whole>
void multiply_row(const Tile& t) {
  const int64_t a_step = a_by_columns ? t.a_stride : 1, b_stride = t.b_stride;
  const Mask last = first(t.columns - (vectors - 1) * lanes);
  Sums<1, vectors> sum;
  repeat<vectors>([&](auto j) { sum[0][j] = zero(); });
  const float* a = t.a;
  const float* b = t.b;
  for (int64_t depth = t.depth; depth > 0; --depth) {
    const Floats x = all(*a);
    repeat<vectors>([&](auto j) __attribute__((always_inline)) {
      const Floats y = !whole && j == vectors - 1 ? load(b + j * lanes, last) : load(b + j * lanes);
      sum[0][j] = fma(x, y, sum[0][j]);
    });
    advance(a, a_step);
    advance(b, b_stride);
  }
  finish<1, vectors>(t, sum, last);
}

template <int vectors, bool a_by_columns>
void multiply_whole_or_part_of_row(const Tile& t) {
  (t.columns == vectors * lanes ? multiply_row<vectors, a_by_columns, true> : multiply_row<vectors, a_by_columns, false>)(t);
}

template <int rows, int vectors, bool a_by_columns, Fetch fetch>
constexpr TileFunction tile_of() {
  if constexpr (rows == 1) {
    return multiply_whole_or_part_of_row<vectors, a_by_columns>;
  } else {
    return multiply_tile<rows, vectors, a_by_columns, fetch>;
  }
}

constexpr int most_rows = tall_tile_rows > narrow_tile_rows ? tall_tile_rows : narrow_tile_rows;
constexpr int most_vectors = widest_tile(1);

struct Functions {
  TileFunction at[2][2][most_rows + 1][most_vectors + 1];
};

constexpr Functions make_functions() {
  Functions f = {};
  [&]<int... r>(std::integer_sequence<int, r...>) {
    (
        [&] {
          constexpr int rows = r + 1;
          [&]<int... v>(std::integer_sequence<int, v...>) {
            ((f.at[0][0][rows][v + 1] = tile_of<rows, v + 1, false, Fetch::rows_of_b>()), ...);
            ((f.at[0][1][rows][v + 1] = tile_of<rows, v + 1, true, Fetch::rows_of_b>()), ...);
            ((f.at[1][0][rows][v + 1] = tile_of<rows, v + 1, false, Fetch::lines>()), ...);
            ((f.at[1][1][rows][v + 1] = tile_of<rows, v + 1, true, Fetch::lines>()), ...);
          }
          (std::make_integer_sequence<int, widest_tile(rows)>());
        }(),
        ...);
  }
  (std::make_integer_sequence<int, most_rows>());
  return f;
}

constexpr Functions functions = make_functions();

}  // namespace

TileFunction tile_function(int64_t rows, int64_t vectors, bool a_by_columns) {
  return functions.at[0][a_by_columns ? 1 : 0][rows][vectors];
}

TileFunction streaming_tile_function(int64_t rows, int64_t vectors, bool a_by_columns) {
  return functions.at[1][a_by_columns ? 1 : 0][rows][vectors];
}

}  // namespace NNRUN_ISA_NAMESPACE
