#include "host.hpp"

#include "threads.hpp"

#include <nnrun/plugin.hpp>

namespace nnrun::core {

HostServices& HostServices::from(const nnrun_host* host) { return *reinterpret_cast<const Bridge*>(host)->services; }

HostServices::HostServices(const Dispatch& dispatch, int threads, LogFunction log)
    : c_{}, dispatch_(dispatch), log_(std::move(log)) {
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
    detail::guard(error, [&] {
      std::string why;
      chosen = from(self).dispatch_.choose(name, arguments, &why);
      if (chosen == nullptr) throw Error(why);
      HostServices& services = from(self);
      services.chosen_.push_back(chosen);
      services.kernels_.insert(services.dispatch_.describe(chosen));
      const std::string forced = services.dispatch_.forced(name);
      if (forced != Dispatch::automatic && services.dispatch_.table_of(chosen) != forced)
        services.lacking_.emplace(name, services.dispatch_.describe(chosen));
    });
    return chosen;
  };
  host.score = [](const nnrun_host* self, const char* name, const void* arguments) {
    const nnrun_kernel* kernel = from(self).dispatch_.choose(name, arguments, nullptr);
    return kernel == nullptr ? -1 : kernel->score;
  };
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
