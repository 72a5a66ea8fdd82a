// Matrix products and convolutions.
#include "../common/cut.hpp"
#include "operands.hpp"
#include "rows.hpp"

namespace nnrun_riscv {

namespace {

constexpr std::int64_t rows_of_a_range = 16;  // so many rows share one copy of the weights

// More than any kernel takes: for what it computes, for each row of results, and for itself.
std::int64_t budget(std::int64_t products, std::int64_t places) { return 100000 + 64 * products + 1024 * places; }

template <class Arguments>
void matmul(Guest& guest, const char* function, const Arguments& a, std::int64_t range, std::int64_t shift) {
  const Slice rows = slice_of(a.rows, rows_of_a_range, range);
  Operands operands(guest);
  const std::uint64_t x = operands.input(a.x + rows.begin * a.depth, rows.size() * a.depth);
  const std::uint64_t weights = operands.input(a.weights, a.features * a.depth);
  const std::uint64_t bias = operands.input(a.bias, a.features);
  const std::uint64_t y = operands.output(a.y + rows.begin * a.features, rows.size() * a.features);
  operands.call(function,
                {x, weights, bias, y, as_register(rows.size()), as_register(a.depth), as_register(a.features), as_register(shift)},
                budget(rows.size() * a.features * (a.depth + 4), rows.size()));
}

template <class Arguments>
void matmul_work(const Arguments& a, nnrun_work& work) {
  one_phase(work, ceil_divide(a.rows, rows_of_a_range));
}

// One picture.
template <class Arguments>
void conv2d(Guest& guest, const char* function, const Arguments& a, std::int64_t picture, std::int64_t outside, std::int64_t shift) {
  using Element = std::remove_cvref_t<decltype(*a.x)>;
  const nnrun_windows& w = a.windows;
  const std::int64_t x_count = w.input[0] * w.input[1] * a.channels, places = w.output[0] * w.output[1];
  const std::int64_t depth = w.kernel[0] * w.kernel[1] * (a.channels / a.groups);
  Operands operands(guest);
  const auto x = static_cast<std::int64_t>(operands.input(a.x + picture * x_count, x_count));
  const auto weights = static_cast<std::int64_t>(operands.input(a.weights, a.filters * depth));
  const auto bias = static_cast<std::int64_t>(operands.input(a.bias, a.filters));
  const auto y = static_cast<std::int64_t>(operands.output(a.y + picture * places * a.filters, places * a.filters));
  const auto gathered = static_cast<std::int64_t>(operands.template scratch<Element>(depth));
  const std::uint64_t structure =
      operands.fields(fields_of(w, {a.channels, a.filters, a.groups, outside, shift, x, weights, bias, y, gathered}));
  operands.call(function, {structure}, budget(places * (a.filters + a.groups) * (depth + 4), places * a.groups));
}

}  // namespace

void work_of_row(const nnrun_matmul_q16& a, nnrun_work& work) { matmul_work(a, work); }
void work_of_row(const nnrun_matmul_q16_low& a, nnrun_work& work) { matmul_work(a, work); }
void work_of_row(const nnrun_matmul_s32& a, nnrun_work& work) { matmul_work(a, work); }
void work_of_row(const nnrun_matmul_s8& a, nnrun_work& work) { matmul_work(a, work); }
void work_of_row(const nnrun_conv2d_q16& a, nnrun_work& work) { one_phase(work, a.windows.batch); }
void work_of_row(const nnrun_conv2d_q16_low& a, nnrun_work& work) { one_phase(work, a.windows.batch); }
void work_of_row(const nnrun_conv2d_s32& a, nnrun_work& work) { one_phase(work, a.windows.batch); }
void work_of_row(const nnrun_conv2d_s8& a, nnrun_work& work) { one_phase(work, a.windows.batch); }

void run_row(Guest& guest, const nnrun_matmul_q16& a, int64_t range) { matmul(guest, "matmul_q16", a, range, 0); }
void run_row(Guest& guest, const nnrun_matmul_q16_low& a, int64_t range) { matmul(guest, "matmul_q16_low", a, range, 0); }
void run_row(Guest& guest, const nnrun_matmul_s32& a, int64_t range) { matmul(guest, "matmul_s32", a, range, a.shift); }
void run_row(Guest& guest, const nnrun_matmul_s8& a, int64_t range) { matmul(guest, "matmul_s8", a, range, 0); }
void run_row(Guest& guest, const nnrun_conv2d_q16& a, int64_t range) { conv2d(guest, "conv2d_q16", a, range, 0, 0); }
void run_row(Guest& guest, const nnrun_conv2d_q16_low& a, int64_t range) { conv2d(guest, "conv2d_q16_low", a, range, 0, 0); }
void run_row(Guest& guest, const nnrun_conv2d_s32& a, int64_t range) { conv2d(guest, "conv2d_s32", a, range, 0, a.shift); }
void run_row(Guest& guest, const nnrun_conv2d_s8& a, int64_t range) { conv2d(guest, "conv2d_s8", a, range, a.outside, 0); }

}  // namespace nnrun_riscv
