// Whether a kernel keeps what the System V ABI tells it to: rbx, rbp, r12 to r15, the stack, the direction flag, and how floating
// point rounds.
#pragma once

#include <nnrun/nnrun.h>

#include <string>

// Runs one range. Returns what was not kept, eg: "r12, the direction flag"; "" where all was, or where this cannot be seen (not x86-64, or
// built without nasm).
std::string run_preserving(decltype(nnrun_kernel::run) run, const void* arguments, void* workspace, uint32_t phase, int64_t range);
// The same for how the work is cut.
std::string work_preserving(decltype(nnrun_kernel::work) work, const void* arguments, nnrun_work* filled);
