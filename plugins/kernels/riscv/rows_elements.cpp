// Kernels over elements, rows and windows.
#include "../common/cut.hpp"
#include "operands.hpp"
#include "rows.hpp"

namespace nnrun_riscv {

namespace {

constexpr std::int64_t elements_of_a_range = 65536;

std::int64_t budget(std::int64_t elements) { return 100000 + 64 * elements; }

std::int64_t rows_of_a_range(std::int64_t columns) { return larger(1, elements_of_a_range / larger(1, columns)); }

template <class X, class Y>
void elementwise(Guest& guest, const char* function, const X* from, Y* to, std::int64_t count, std::int64_t range, std::int64_t factor) {
  const Slice slice = slice_of(count, elements_of_a_range, range);
  Operands operands(guest);
  const std::uint64_t x = operands.input(from + slice.begin, slice.size());
  const std::uint64_t y = operands.output(to + slice.begin, slice.size());
  operands.call(function, {x, y, as_register(slice.size()), as_register(factor)}, budget(slice.size()));
}

// One picture.
template <class Arguments>
void maxpool2d(Guest& guest, const char* function, const Arguments& a, std::int64_t picture) {
  const nnrun_windows& w = a.windows;
  const std::int64_t x_count = w.input[0] * w.input[1] * a.channels, y_count = w.output[0] * w.output[1] * a.channels;
  Operands operands(guest);
  const auto x = static_cast<std::int64_t>(operands.input(a.x + picture * x_count, x_count));
  const auto y = static_cast<std::int64_t>(operands.output(a.y + picture * y_count, y_count));
  const std::uint64_t structure = operands.fields(fields_of(w, {a.channels, 0, 0, 0, 0, x, 0, 0, y, 0}));
  operands.call(function, {structure}, budget(y_count * (w.kernel[0] * w.kernel[1] + 1)));
}

}  // namespace

void work_of_row(const nnrun_maxpool2d_s32& a, nnrun_work& work) { one_phase(work, a.windows.batch); }
void work_of_row(const nnrun_maxpool2d_u8& a, nnrun_work& work) { one_phase(work, a.windows.batch); }
void work_of_row(const nnrun_requantize& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_of_a_range(a.columns))); }
void work_of_row(const nnrun_relu_s32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.count, elements_of_a_range)); }
void work_of_row(const nnrun_abs_s32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.count, elements_of_a_range)); }
void work_of_row(const nnrun_u8_to_s32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.count, elements_of_a_range)); }
void work_of_row(const nnrun_argmax_s32& a, nnrun_work& work) { one_phase(work, ceil_divide(a.rows, rows_of_a_range(a.columns))); }
void work_of_row(const nnrun_dot_s32&, nnrun_work& work) { one_phase(work, 1); }

void run_row(Guest& guest, const nnrun_maxpool2d_s32& a, int64_t range) { maxpool2d(guest, "maxpool2d_s32", a, range); }
void run_row(Guest& guest, const nnrun_maxpool2d_u8& a, int64_t range) { maxpool2d(guest, "maxpool2d_u8", a, range); }
void run_row(Guest& guest, const nnrun_relu_s32& a, int64_t range) { elementwise(guest, "relu_s32", a.x, a.y, a.count, range, 0); }
void run_row(Guest& guest, const nnrun_abs_s32& a, int64_t range) { elementwise(guest, "abs_s32", a.x, a.y, a.count, range, 0); }
void run_row(Guest& guest, const nnrun_u8_to_s32& a, int64_t range) { elementwise(guest, "u8_to_s32", a.x, a.y, a.count, range, a.factor); }

void run_row(Guest& guest, const nnrun_requantize& a, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_of_a_range(a.columns), range);
  const std::int64_t entries = a.per_column != 0 ? a.columns : 1;
  Operands operands(guest);
  const std::uint64_t x = operands.input(a.x + rows.begin * a.columns, rows.size() * a.columns);
  const std::uint64_t multiplier = operands.input(a.multiplier, entries);
  const std::uint64_t shift = operands.input(a.shift, entries);
  const std::uint64_t y = operands.output(a.y + rows.begin * a.columns, rows.size() * a.columns);
  operands.call("requantize", {x, multiplier, shift, y, as_register(rows.size()), as_register(a.columns), a.per_column},
                budget(rows.size() * (a.columns + 1)));
}

void run_row(Guest& guest, const nnrun_argmax_s32& a, int64_t range) {
  const Slice rows = slice_of(a.rows, rows_of_a_range(a.columns), range);
  Operands operands(guest);
  const std::uint64_t x = operands.input(a.x + rows.begin * a.columns, rows.size() * a.columns);
  const std::uint64_t y = operands.output(a.y + rows.begin, rows.size());
  operands.call("argmax_s32", {x, y, as_register(rows.size()), as_register(a.columns)}, budget(rows.size() * (a.columns + 1)));
}

void run_row(Guest& guest, const nnrun_dot_s32& a, int64_t) {
  Operands operands(guest);
  const std::uint64_t x = operands.input(a.a, a.count == 0 ? 0 : (a.count - 1) * a.stride_a + 1);
  const std::uint64_t weights = operands.input(a.b, a.count == 0 ? 0 : (a.count - 1) * a.stride_b + 1);
  const std::uint64_t y = operands.output(a.y, 1);
  operands.call("dot_s32", {x, weights, as_register(a.count), as_register(a.stride_a), as_register(a.stride_b), y}, budget(a.count));
}

}  // namespace nnrun_riscv
