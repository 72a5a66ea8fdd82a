// Kernels that the host chooses for a shape.
#pragma once

#include <nnrun/fixed_kernels.h>
#include <nnrun/kernels.h>
#include <nnrun/nnrun.h>
#include <nnrun/plugin/host.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace nnrun {

// The kernel that takes `Arguments`. For kernels of your own, specialise it beside their arguments' struct.
template <class Arguments>
struct KernelTraits;

#define NNRUN_KERNEL_TRAITS(kernel_name, bound, doc)         \
  template <>                                                \
  struct KernelTraits<nnrun_##kernel_name> {                 \
    static constexpr auto name = #kernel_name;               \
    static constexpr auto signature = "nnrun_" #kernel_name; \
  };
NNRUN_KERNEL_ROWS(NNRUN_KERNEL_TRAITS)
NNRUN_FIXED_KERNEL_ROWS(NNRUN_KERNEL_TRAITS)
NNRUN_MEASURING_KERNEL_ROWS(NNRUN_KERNEL_TRAITS)
#undef NNRUN_KERNEL_TRAITS

// A kernel that the host has chosen for a shape.
template <class Arguments>
class Kernel {
 public:
  Kernel() = default;

  // `shape`: arguments with NULL pointers.
  Kernel(const Host& host, const Arguments& shape) : host_(host) {
    nnrun_error error{};
    kernel_ = host.c()->kernel(host.c(), KernelTraits<Arguments>::name, &shape, &error);
    if (kernel_ == nullptr) throw Error(error.message);
    if (std::strcmp(kernel_->signature, KernelTraits<Arguments>::signature) != 0) {
      throw Error(std::string("kernel ") + kernel_->name + " takes " + kernel_->signature + ", expected " +
                  KernelTraits<Arguments>::signature);
    }
  }

  std::size_t workspace(const Arguments& shape) const {
    nnrun_work work{};
    kernel_->work(&shape, &work);
    return work.workspace;
  }

  // All of it, in parallel.
  void operator()(const Arguments& arguments, void* workspace = nullptr) const {
    nnrun_work work{};
    kernel_->work(&arguments, &work);
    for (std::uint32_t phase = 0; phase < work.phases; ++phase) {
      if (work.ranges[phase] == 1) {
        run(arguments, workspace, phase, 0);
      } else {
        host_.parallel(work.ranges[phase], [&](std::int64_t range) { run(arguments, workspace, phase, range); });
      }
    }
  }

  // Into how many slices of the batch this can be cut: any common divisor of the batch and the result will do. 0: not at all.
  std::int64_t slices(const Arguments& shape) const {
    nnrun_work work{};
    kernel_->work(&shape, &work);
    return work.batch_phase == 0 ? 0 : work.ranges[work.batch_phase - 1];
  }

  // Into how many slices of the batch the first phase can be cut, to run ahead of the others. 0: not at all.
  std::int64_t slices_ahead(const Arguments& shape) const {
    nnrun_work work{};
    kernel_->work(&shape, &work);
    return work.ahead == 0 ? 0 : work.ranges[0];
  }

  // What belongs to a stage of the slices; `arguments` are those of the whole batch.
  void slice(const Arguments& arguments, const nnrun_slice& slice, void* workspace) const {
    nnrun_work work{};
    kernel_->work(&arguments, &work);
    const std::uint32_t batch_phase = work.batch_phase - 1;
    if (slice.stage == NNRUN_SLICES_EACH || slice.stage == NNRUN_SLICES_AHEAD) {
      const std::uint32_t phase = slice.stage == NNRUN_SLICES_EACH ? batch_phase : 0;
      const std::int64_t ranges = work.ranges[phase] / slice.count;
      for (std::int64_t range = ranges * slice.index; range < ranges * (slice.index + 1); ++range) run(arguments, workspace, phase, range);
      return;
    }
    const bool before = slice.stage == NNRUN_SLICES_BEFORE;
    const std::uint32_t first = !before ? batch_phase + 1 : slice.ahead != 0 ? 1 : 0;
    for (std::uint32_t phase = first; phase < (before ? batch_phase : work.phases); ++phase) {
      host_.parallel(work.ranges[phase], [&](std::int64_t range) { run(arguments, workspace, phase, range); });
    }
  }

  // All of it, on this thread: for callers that are one range of a parallel loop themselves.
  void serial(const Arguments& arguments, void* workspace = nullptr) const {
    nnrun_work work{};
    kernel_->work(&arguments, &work);
    for (std::uint32_t phase = 0; phase < work.phases; ++phase) {
      for (std::int64_t range = 0; range < work.ranges[phase]; ++range) run(arguments, workspace, phase, range);
    }
  }

 private:
  void run(const Arguments& arguments, void* workspace, std::uint32_t phase, std::int64_t range) const {
    if (kernel_->run_or_fail == nullptr) {
      kernel_->run(&arguments, workspace, phase, range);
    } else {
      nnrun_error error{};
      detail::check(kernel_->run_or_fail(&arguments, workspace, phase, range, &error), error);
    }
  }

  const nnrun_kernel* kernel_ = nullptr;
  Host host_;
};

}  // namespace nnrun
