// Which kernel runs for a name and a shape. Knows names, signatures and scores, not what kernels compute.
#pragma once

#include "registry.hpp"
#include "settings.hpp"

#include <nnrun/nnrun.h>

#include <string>
#include <string_view>
#include <vector>

namespace nnrun::core {

class Dispatch {
 public:
  static constexpr std::string_view automatic = "auto";  // stands for the best table of each kernel

  struct Entry {
    const nnrun_kernel* kernel;
    std::string table;  // eg: "avx512"
  };

  // Throws DiagnosticError where a table or kernel that is asked for does not exist or cannot run here.
  // The environment's NNRUN_KERNELS stands for `run.kernels` where that is auto.
  Dispatch(const Registry& registry, const KernelSettings& settings);

  // The best kernel for the shape; NULL and *why where none supports it.
  const nnrun_kernel* choose(std::string_view name, const void* arguments, std::string* why) const;

  // Of every kernel, best first.
  std::vector<std::string> names() const;
  std::vector<Entry> entries(std::string_view name) const;
  // The table that `kernel` is from.
  std::string table_of(const nnrun_kernel* kernel) const;
  // Eg: "gemm_f32 (avx512)", "conv2d_forward_f32 (avx512, Winograd)".
  std::string describe(const nnrun_kernel* kernel) const;
  // The table that is forced for a kernel; `automatic` where none is.
  std::string forced(std::string_view name) const;

 private:
  std::vector<Entry> entries_;
  std::string default_table_{automatic};
  std::vector<std::pair<std::string, std::string>> forced_;
};

}  // namespace nnrun::core
