#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <map>

#include "harness.hpp"
#include "preserving.hpp"

namespace {

bool measures(const std::string& kernel) {
#define ROW(name, bound, doc) \
  if (kernel == #name) return true;
  NNRUN_MEASURING_KERNEL_ROWS(ROW)
#undef ROW
  return false;
}

}  // namespace

TEST_CASE("libraries that this machine can't run are named") {
  for (const Library& library : libraries()) {
    if (!library.missing.empty()) WARN(library.name << " is not tested: this machine lacks " << library.missing);
  }
  SUCCEED();
}

TEST_CASE("scalar implements every row, and every row has a test") {
#define ROW(name, bound, doc)                        \
  CHECK(libraries().front().find(#name) != nullptr); \
  CHECK(has_row_test(#name));
  NNRUN_KERNEL_ROWS(ROW)
  NNRUN_FIXED_KERNEL_ROWS(ROW)
#undef ROW
}

TEST_CASE("libraries describe themselves") {
  for (const Library& library : libraries()) {
    INFO(library.name);
    CHECK(library.plugin->size == sizeof(nnrun_plugin));
    CHECK(library.plugin->abi_major == NNRUN_ABI_MAJOR);
    CHECK(library.plugin->component_count == 1);
    const nnrun_component& component = *library.plugin->components[0];
    CHECK(component.kind == std::string("kernels"));
    CHECK(component.name == library.name);
    CHECK(library.table->size == sizeof(nnrun_kernels_vtable));
    for (uint32_t i = 0; i < library.table->count; ++i) {
      const nnrun_kernel& kernel = library.table->kernels[i];
      CHECK(kernel.size == sizeof(nnrun_kernel));
      // What is for some shapes only goes before what is for all.
      if (library.name == "riscv" || library.name.rfind("rvv", 0) == 0) {  // never chosen by itself
        CHECK(kernel.score < 0);
        CHECK(has_row_test(kernel.name));
        continue;
      }
      const std::map<std::string, int> plain_scores = {{"scalar", 0},   {"sse_asm", 100},     {"avx2", 200},
                                                       {"avx512", 500}, {"avx512_bf16", 500}, {"avx512_vnni", 600}};
      const int plain = plain_scores.at(library.name);
      CHECK(kernel.score >= plain);
      CHECK(kernel.score <= plain + 50);
      CHECK((kernel.supports == nullptr) == (kernel.algorithm == nullptr));
      CHECK((has_row_test(kernel.name) || measures(kernel.name)));
    }
  }
}

TEST_CASE("kernels that measure do what they count") {
  for (const Library& library : libraries()) {
    if (!library.missing.empty()) continue;
    INFO(library.name);
    if (const nnrun_kernel* kernel = library.find("fma_peak_f32")) {
      double operations = -1;
      float result = -1;
      const nnrun_fma_peak_f32 once = {1, &operations, &result}, often = {1000, &operations, &result};
      CHECK(run_preserving(kernel->run, &once, nullptr, 0, 0) == "");
      const double operations_of_one = operations;
      CHECK(operations_of_one >= 8);
      CHECK(result > 0);
      CHECK(run_preserving(kernel->run, &often, nullptr, 0, 0) == "");
      CHECK(operations == 1000 * operations_of_one);
    }
    if (const nnrun_kernel* kernel = library.find("read_peak_f32")) {
      for (const size_t count : {0u, 1u, 31u, 32u, 33u, 127u, 1000u}) {
        std::vector<float> x(count + 1);
        for (size_t i = 0; i < count; ++i) x[i + 1] = static_cast<float>(i % 7);
        float result = -1, expected = 0;
        for (const float number : x) expected += number;  // whole numbers: exact in any order
        const nnrun_read_peak_f32 arguments = {static_cast<int64_t>(count), x.data() + 1, &result};
        CHECK(run_preserving(kernel->run, &arguments, nullptr, 0, 0) == "");
        CHECK(result == expected);
      }
    }
  }
}
