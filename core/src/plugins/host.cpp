#include "plugins/host.hpp"

#include "base/threads.hpp"

#include <nnrun/plugin.hpp>

#include <algorithm>
#include <iterator>

namespace nnrun::core {

HostServices& HostServices::from(const nnrun_host* host) { return *reinterpret_cast<const Bridge*>(host)->services; }

HostServices::HostServices(const Dispatch& dispatch, int threads, LogFunction log) : c_{}, dispatch_(dispatch), log_(std::move(log)) {
  c_.services = this;
  nnrun_host& host = c_.host;
  host.size = sizeof host;
  host.threads = static_cast<std::uint32_t>(threads);
  host.log = [](const nnrun_host* self, nnrun_log_level level, const char* message) { from(self).log_(level, message); };
  host.parallel = [](const nnrun_host* self, std::int64_t ranges, nnrun_range_function body, void* argument, nnrun_error* error) {
    return parallel_ranges(static_cast<int>(self->threads), ranges, body, argument, error);
  };
  host.kernel = [](const nnrun_host* self, const char* name, const void* arguments, nnrun_error* error) -> const nnrun_kernel* {
    const nnrun_kernel* chosen = nullptr;
    detail::guard(error, [&] { chosen = from(self).choose(name, arguments); });
    return chosen;
  };
  host.score = [](const nnrun_host* self, const char* name, const void* arguments) {
    const nnrun_kernel* kernel = from(self).dispatch_.choose(name, arguments, nullptr);
    return kernel == nullptr ? -1 : kernel->score;
  };
}

const nnrun_kernel* HostServices::choose(const char* name, const void* arguments) {
  const auto request =
      1 + static_cast<int>(std::ranges::count_if(chosen_, [&](const KernelChoice& c) { return c.kernel->name == std::string_view(name); }));
  const std::vector<const nnrun_kernel*> candidates = dispatch_.candidates(name, arguments);
  KernelChoice made{nullptr, request, "", {}};
  if (const Dispatch::LayerChoice* choice = dispatch_.layer_choice(layer_, name, request)) {
    const bool fits = choice->kernel->supports == nullptr || choice->kernel->supports(arguments) != 0;
    if (!fits && must_fit_) {
      throw Error("run.kernels chooses " + dispatch_.describe(choice->kernel) + " for request " + std::to_string(request) +
                  ", which does not support its shape");
    }
    if (fits) {
      made.kernel = choice->kernel;
      made.why = "run.kernels, for this layer";
      kernels_.insert(dispatch_.describe(made.kernel) + " of " + layer_ + "#" + std::to_string(request));
    }
  }
  if (made.kernel == nullptr) {
    std::string complaint;
    made.kernel = dispatch_.choose(name, arguments, &complaint);
    if (made.kernel == nullptr) throw Error(complaint);
    kernels_.insert(dispatch_.describe(made.kernel));
    const std::string forced = dispatch_.forced(name);
    made.why = forced != Dispatch::automatic ? "run.kernels: " + forced
               : candidates.size() > 1       ? "the highest score"
                                             : "no other supports the shape";
    if (forced != Dispatch::automatic && dispatch_.table_of(made.kernel) != forced) lacking_.emplace(name, dispatch_.describe(made.kernel));
  }
  std::ranges::copy_if(candidates, std::back_inserter(made.others), [&](const nnrun_kernel* other) { return other != made.kernel; });
  chosen_.push_back(std::move(made));
  return chosen_.back().kernel;
}

std::string HostServices::lacking() const {
  if (lacking_.empty()) return "";
  std::string list;
  for (const auto& [name, instead] : lacking_) list += (list.empty() ? "" : ", ") + instead;
  // Only a table for all kernels may lack some: one that is asked for by a kernel's name has it, or that was an error.
  const std::string table = dispatch_.forced(lacking_.begin()->first);
  return "kernels '" + table + "' lack some of what this net needs; plain ones run instead: " + list;
}

}  // namespace nnrun::core
