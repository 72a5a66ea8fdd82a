// What all exporters have in common: their parameters, and how they hand over files.
#pragma once

#include "net.hpp"

#include <nnrun/plugin.hpp>

#include <cctype>
#include <string>

namespace nnrun::exporters {

inline constexpr const char* called_doc = "what files, functions and constants are called";
inline constexpr const char* golden_doc = "how many test samples are written with the net's answers";

class Files {
 public:
  explicit Files(const nnrun_exported& to) : to_(to) {}
  void add(const std::string& name, const std::string& bytes, bool executable = false) const {
    nnrun_error error{};
    detail::check(to_.file(to_.context, name.c_str(), bytes.data(), bytes.size(), executable ? 1 : 0, &error), error);
  }
  void note(const std::string& text) const { to_.note(to_.context, text.c_str()); }

 private:
  const nnrun_exported& to_;
};

inline void require_identifier(const std::string& name) {
  bool good = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name) good = good && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!good) throw Error("'" + name + "' is no identifier: take letters, digits and _").at("called");
}

}  // namespace nnrun::exporters
