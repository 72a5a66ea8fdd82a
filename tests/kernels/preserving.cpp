#include "preserving.hpp"

#include <catch2/catch.hpp>
#include <utility>

#ifdef NNRUN_HAS_NASM

using Run = decltype(nnrun_kernel::run);
using Function = void (*)();

extern "C" {
uint32_t nnrun_call_preserving(Function run, const void* arguments, void* workspace, uint32_t phase, int64_t range);

// Kernels that fail to keep one thing.
void nnrun_spoil_rbx(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_rbp(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_r12(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_r13(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_r14(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_r15(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_rsp(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_stack(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_direction(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_mxcsr(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_x87(const void*, void*, uint32_t, int64_t);
void nnrun_spoil_nothing(const void*, void*, uint32_t, int64_t);
}

namespace {

std::string preserving(Function function, const void* arguments, void* second, uint32_t phase, int64_t range) {
  const uint32_t spoiled = nnrun_call_preserving(function, arguments, second, phase, range);
  if (spoiled == 0) return "";
  const char* const things[] = {"rbx",
                                "rbp",
                                "r12",
                                "r13",
                                "r14",
                                "r15",
                                "rsp",
                                "the caller's stack",
                                "the direction flag",
                                "MXCSR's control bits",
                                "the x87 control word"};
  std::string list;
  for (size_t i = 0; i < std::size(things); ++i) {
    if ((spoiled >> i & 1) != 0) list += (list.empty() ? "" : ", ") + std::string(things[i]);
  }
  return list;
}

}  // namespace

std::string run_preserving(Run run, const void* arguments, void* workspace, uint32_t phase, int64_t range) {
  return preserving(reinterpret_cast<Function>(run), arguments, workspace, phase, range);
}

std::string work_preserving(decltype(nnrun_kernel::work) work, const void* arguments, nnrun_work* filled) {
  // The ABI passes its two arguments like the first two of run(); it looks at no others.
  return preserving(reinterpret_cast<Function>(work), arguments, filled, 0, 0);
}

TEST_CASE("a kernel that does not keep what the ABI says is found") {
  for (const auto& [run, thing] : {std::pair<Run, const char*>{nnrun_spoil_rbx, "rbx"},
                                   {nnrun_spoil_rbp, "rbp"},
                                   {nnrun_spoil_r12, "r12"},
                                   {nnrun_spoil_r13, "r13"},
                                   {nnrun_spoil_r14, "r14"},
                                   {nnrun_spoil_r15, "r15"},
                                   {nnrun_spoil_rsp, "rsp"},
                                   {nnrun_spoil_stack, "the caller's stack"},
                                   {nnrun_spoil_direction, "the direction flag"},
                                   {nnrun_spoil_mxcsr, "MXCSR's control bits"},
                                   {nnrun_spoil_x87, "the x87 control word"},
                                   {nnrun_spoil_nothing, ""}}) {
    CHECK(run_preserving(run, nullptr, nullptr, 0, 0) == thing);
  }
}

#else

std::string run_preserving(decltype(nnrun_kernel::run) run, const void* arguments, void* workspace, uint32_t phase, int64_t range) {
  run(arguments, workspace, phase, range);
  return "";
}

std::string work_preserving(decltype(nnrun_kernel::work) work, const void* arguments, nnrun_work* filled) {
  work(arguments, filled);
  return "";
}

#endif
