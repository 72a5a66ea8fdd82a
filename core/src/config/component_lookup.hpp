// What the config needs to know of the registry, so that neither has to know the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nnrun/nnrun.h>

namespace nnrun::core {

class ComponentLookup {
 public:
  virtual ~ComponentLookup() = default;

  // NULL where there is none, or where a plain name is ambiguous. `name` may be "vendor/name".
  virtual const nnrun_component* find(std::string_view kind, std::string_view name) const = 0;
  // All kinds that have a component, and all names of a kind, sorted.
  virtual std::vector<std::string> kinds() const = 0;
  virtual std::vector<std::string> names(std::string_view kind) const = 0;
  // Why `name` may be missing, eg: "nnrun_swish.so was skipped: it needs ABI 2, this nnrun provides 1".
  virtual std::vector<std::string> notes(std::string_view kind, std::string_view name) const = 0;
  // The full names to choose from where several plugins bring `name`; else empty.
  virtual std::vector<std::string> ambiguous(std::string_view /*kind*/, std::string_view /*name*/) const { return {}; }
};

}  // namespace nnrun::core
