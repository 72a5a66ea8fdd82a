// The services that components get: nnrun_host, made from our threads, kernels and log.
#pragma once

#include "dispatch.hpp"

#include <nnrun/nnrun.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nnrun::core {

class HostServices {
 public:
  using LogFunction = std::function<void(nnrun_log_level, const std::string&)>;

  HostServices(const Dispatch& dispatch, int threads, LogFunction log);
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  const nnrun_host* c() const { return &c_.host; }
  int threads() const { return static_cast<int>(c_.host.threads); }
  const Dispatch& dispatch() const { return dispatch_; }
  void log(nnrun_log_level level, const std::string& message) const { log_(level, message); }

  // What was chosen since the last call; for plans and reports.
  std::vector<const nnrun_kernel*> take_chosen() const { return std::exchange(chosen_, {}); }
  // All that were ever chosen, eg: "gemm_f32 (avx512)". With the config, they decide about every bit of a run.
  const std::set<std::string>& kernels() const { return kernels_; }
  // Says which kernels come from elsewhere because the table that is asked for lacks them; "" where it has all.
  std::string lacking() const;

 private:
  // The host is the first member, so that a callback's nnrun_host* leads back here.
  struct Bridge {
    nnrun_host host;
    HostServices* services;
  };
  static HostServices& from(const nnrun_host* host);

  Bridge c_;
  const Dispatch& dispatch_;
  LogFunction log_;
  mutable std::vector<const nnrun_kernel*> chosen_;
  std::set<std::string> kernels_;
  std::map<std::string, std::string> lacking_;  // what runs instead, by the kernel's name
};

}  // namespace nnrun::core
