#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include "harness.hpp"

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
      if (library.name == "riscv") {  // never chosen by itself
        CHECK(kernel.score < 0);
        CHECK(has_row_test(kernel.name));
        continue;
      }
      const int plain = library.name == "scalar" ? 0 : library.name == "avx2" ? 200 : library.name == "avx512" ? 500 : 600;
      CHECK(kernel.score >= plain);
      CHECK(kernel.score <= plain + 50);
      CHECK((kernel.supports == nullptr) == (kernel.algorithm == nullptr));
      CHECK((has_row_test(kernel.name) || measures(kernel.name)));
    }
  }
}
