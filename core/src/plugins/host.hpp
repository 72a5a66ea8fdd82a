// The services that components get: nnrun_host, made from our threads, kernels and log.
#pragma once

#include "plugins/dispatch.hpp"

#include <nnrun/nnrun.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace nnrun::core {

// What a layer got when it asked for a kernel.
struct KernelChoice {
  const nnrun_kernel* kernel;
  int request;  // how often the layer has asked for this name, with this time
  std::string why;
  std::vector<const nnrun_kernel*> others;  // that could run as well, best first
};

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

  // Whoever asks for kernels from now on is this layer; "": none. `must_fit`: what run.kernels chooses for it has to support its shapes.
  void plan_for(const std::string& layer, bool must_fit) const {
    layer_ = layer;
    must_fit_ = must_fit;
    chosen_.clear();
  }
  // What was chosen since then.
  std::vector<KernelChoice> take_chosen() const { return std::exchange(chosen_, {}); }
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

  const nnrun_kernel* choose(const char* name, const void* arguments);

  Bridge c_;
  const Dispatch& dispatch_;
  LogFunction log_;
  mutable std::string layer_;
  mutable bool must_fit_ = false;
  mutable std::vector<KernelChoice> chosen_;
  std::set<std::string> kernels_;
  std::map<std::string, std::string> lacking_;  // what runs instead, by the kernel's name
};

}  // namespace nnrun::core
