// Live components: made from a checked spec, with the components inside them; destroyed in reverse.
#pragma once

#include "base/error.hpp"
#include "config/schema.hpp"

#include <nnrun/nnrun.h>

#include <memory>
#include <vector>

namespace nnrun::core {

class Instance {
 public:
  // `spec` must outlive the instance. Throws DiagnosticError at the spec's place.
  Instance(const ComponentSpec& spec, const nnrun_host* host);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const ComponentSpec& spec() const { return spec_; }
  void* self() const { return self_; }
  template <class Vtable>
  const Vtable& vtable() const {
    return *static_cast<const Vtable*>(spec_.component->vtable);
  }

  // For what went wrong while planning: a fault of the config.
  [[noreturn]] void fail_in_config(const nnrun_error& error) const;
  // For what went wrong while running; `doing`, eg: "forward".
  [[noreturn]] void fail_in_run(const char* doing, const nnrun_error& error) const;

 private:
  const ComponentSpec& spec_;
  std::vector<std::unique_ptr<Instance>> inner_;
  void* self_ = nullptr;
};

}  // namespace nnrun::core
