// nnrun's RISC-V kernels as text, preprocessed, an instruction a line. The build makes kernel_sources.cpp from plugins/kernels/riscv.
#pragma once

#include <string_view>

namespace nnrun::exporters {

struct KernelSource {
  const char* name;   // of the file, eg: "matmul_q16"
  const char* gnu;    // for GNU as
  const char* venus;  // for Venus
};

// Throws nnrun::Error where there is none.
const KernelSource& kernel_source(std::string_view name);

}  // namespace nnrun::exporters
