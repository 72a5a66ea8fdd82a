// Tells the config's observers what happens.
#pragma once

#include "plugins/host.hpp"
#include "plugins/instance.hpp"

#include <nnrun/nnrun.h>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nnrun::core {

inline nnrun_field field(const char* name, double value) { return {name, nullptr, value, nullptr, 0, 0}; }
inline nnrun_field field(const char* name, std::int64_t value) { return field(name, static_cast<double>(value)); }
inline nnrun_field field(const char* name, const char* text) { return {name, text, 0, nullptr, 0, 0}; }

class Observers {
 public:
  // `positions`: of the checkpoint that is resumed, by the observers' names; empty at a start.
  Observers(const std::vector<ComponentSpec>& specs, const HostServices& host, const std::filesystem::path& folder,
            const std::map<std::string, std::int64_t>& positions);
  ~Observers();

  void tell(const char* event, std::span<const nnrun_field> fields);
  void tell(const char* event, std::initializer_list<nnrun_field> fields) { tell(event, std::span(fields.begin(), fields.size())); }
  // Throws RunError where an observer could not write what it was told: a checkpoint now would lose it.
  std::map<std::string, std::int64_t> positions();

 private:
  const HostServices& host_;
  std::vector<std::unique_ptr<Instance>> instances_;
};

}  // namespace nnrun::core
