#pragma once

#include "exporter.hpp"

namespace nnrun::exporters {

struct C99 {
  static constexpr auto name = "c99";
  static constexpr auto doc = "C99 without heap and library: one header, one source, golden vectors and a self-test";

  std::string called = "net";
  std::int64_t golden = 16;

  static constexpr auto params() {
    return schema(param<&C99::called>("called", called_doc), param<&C99::golden>("golden", golden_doc).range(1, 256));
  }
  void export_net(const nnrun_net_view& view, const nnrun_exported& to) const;
};

struct RiscvAssembly {
  static constexpr auto name = "riscv_assembly";
  static constexpr auto doc = "RV32IM assembly for GNU as: nnrun's kernels, the net, and a self-test";

  std::string called = "net";
  std::int64_t golden = 16;

  static constexpr auto params() {
    return schema(param<&RiscvAssembly::called>("called", called_doc), param<&RiscvAssembly::golden>("golden", golden_doc).range(1, 256));
  }
  void export_net(const nnrun_net_view& view, const nnrun_exported& to) const;
};

struct RiscvElf {
  static constexpr auto name = "riscv_elf";
  static constexpr auto doc = "a RV32IM program for a bare machine, qemu's `virt`, that runs its golden vectors";

  std::string called = "net";
  std::int64_t golden = 200;

  static constexpr auto params() {
    return schema(param<&RiscvElf::called>("called", called_doc), param<&RiscvElf::golden>("golden", golden_doc).range(1, 256));
  }
  void export_net(const nnrun_net_view& view, const nnrun_exported& to) const;
};

struct Venus {
  static constexpr auto name = "venus";
  static constexpr auto doc = "one file of RV32IM assembly for the Venus simulator, weights and golden vectors in it";

  std::string called = "net";
  std::int64_t golden = 4;

  static constexpr auto params() {
    return schema(param<&Venus::called>("called", called_doc), param<&Venus::golden>("golden", golden_doc).range(1, 256));
  }
  void export_net(const nnrun_net_view& view, const nnrun_exported& to) const;
};

struct Npz {
  static constexpr auto name = "npz";
  static constexpr auto doc = "NumPy's .npz: all weights, some inputs, and what each layer makes of them";

  std::string called = "net";
  std::int64_t golden = 16;

  static constexpr auto params() {
    return schema(param<&Npz::called>("called", called_doc), param<&Npz::golden>("golden", golden_doc).range(1, 256));
  }
  void export_net(const nnrun_net_view& view, const nnrun_exported& to) const;
};

}  // namespace nnrun::exporters
