// column_sum_f32 of matrices with few columns, cut along the rows: docs/write-a-kernel.md goes through it.
#include <nnrun/kernels.h>
#include <nnrun/plugin.hpp>

#include <algorithm>
#include <iterator>

namespace {

constexpr std::int64_t most_columns = 64;
constexpr std::int64_t rows_per_range = 256;

std::int64_t count_ranges(const nnrun_column_sum_f32& a) { return (a.rows + rows_per_range - 1) / rows_per_range; }

// Where there are more columns, the built-in kernels have enough to cut already.
int supports(const void* arguments) { return static_cast<const nnrun_column_sum_f32*>(arguments)->columns <= most_columns ? 1 : 0; }

// Two phases: partial sums of 256 rows each, then their sum. The workspace holds a row of partial sums for each range of the first.
void work(const void* arguments, nnrun_work* work) {
  const auto& a = *static_cast<const nnrun_column_sum_f32*>(arguments);
  *work = {};
  work->phases = 2;
  work->ranges[0] = count_ranges(a);
  work->ranges[1] = 1;
  work->workspace = static_cast<std::size_t>(count_ranges(a) * a.columns) * sizeof(float);
}

void run(const void* arguments, void* workspace, std::uint32_t phase, std::int64_t range) {
  const auto& a = *static_cast<const nnrun_column_sum_f32*>(arguments);
  auto* partial = static_cast<float*>(workspace);
  if (phase == 0) {
    float* sum = partial + range * a.columns;
    std::fill_n(sum, a.columns, 0.0f);
    const std::int64_t end = std::min((range + 1) * rows_per_range, a.rows);
    for (std::int64_t i = range * rows_per_range; i < end; ++i) {
      for (std::int64_t j = 0; j < a.columns; ++j) sum[j] += a.x[i * a.ldx + j];
    }
    return;
  }
  std::fill_n(a.sum, a.columns, 0.0f);
  for (std::int64_t i = 0; i < count_ranges(a); ++i) {  // always in the same order, whichever thread was first
    for (std::int64_t j = 0; j < a.columns; ++j) a.sum[j] += partial[i * a.columns + j];
  }
}

constexpr std::int32_t score = 10000;

constexpr nnrun_kernel kernels[] = {
    {.size = sizeof(nnrun_kernel),
     .score = score,
     .name = "column_sum_f32",
     .signature = "nnrun_column_sum_f32",
     .supports = supports,
     .work = work,
     .run = run,
     .algorithm = "tall",
     .bound = 0,
     .run_or_fail = nullptr,
     .precision = 0},
};

constexpr nnrun_kernels_vtable table = {
    .size = sizeof(nnrun_kernels_vtable), .count = std::size(kernels), .kernels = kernels, .counting = nullptr, .counts = nullptr};

constexpr nnrun_component component = {.size = sizeof(nnrun_component),
                                       .reserved = 0,
                                       .kind = "kernels",
                                       .name = "tall_sums",
                                       .doc = "sums of the columns of tall matrices",
                                       .params = nullptr,
                                       .param_count = 0,
                                       .get_default = nullptr,
                                       .create = nullptr,
                                       .destroy = nullptr,
                                       .vtable = &table};

constexpr const nnrun_component* components[] = {&component};

}  // namespace

extern "C" {
__attribute__((visibility("default"))) extern const nnrun_plugin nnrun_plugin_v1;
constinit const nnrun_plugin nnrun_plugin_v1 = {sizeof(nnrun_plugin), NNRUN_ABI_MAJOR,    NNRUN_ABI_MINOR, 1, "tall_sums", "1.0.0",
                                                NNRUN_BUILD,          NNRUN_CPU_FEATURES, components};
}
