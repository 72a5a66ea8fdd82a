// The built-in components' parameters without their code: config tests need no plugin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/component_lookup.hpp"

namespace nnrun::test {

class FakeLookup : public core::ComponentLookup {
 public:
  const nnrun_component* find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> kinds() const override;
  std::vector<std::string> names(std::string_view kind) const override;
  std::vector<std::string> notes(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> ambiguous(std::string_view kind, std::string_view name) const override;
};

}  // namespace nnrun::test
